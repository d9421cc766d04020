/** Where a method was published: cards and the page cite it from here. */
export interface Paper {
  readonly title: string;
  /** As in a citation: `Jiang et al.` */
  readonly authors: string;
  /** When it was first on arXiv. */
  readonly year: number;
  readonly arxiv: string;
}

/** Of PERU-FFT, PERU-LoRA and the baseline they are compared with. */
export const PERU_PAPER: Paper = {
  title: 'Effective and Parameter-Efficient Reusing Fine-Tuned Models',
  authors: 'Jiang et al.',
  year: 2023,
  arxiv: '2310.01886',
};

export function paperAddress({ arxiv }: Paper): string {
  return `https://arxiv.org/abs/${arxiv}`;
}
