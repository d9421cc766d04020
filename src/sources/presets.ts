/**
 * Groups of public checkpoints that the methods' papers are measured on, with what scores each
 * task. Data only: nothing is fetched before a preset is opened. Ids, prompts and splits are
 * FusionBench's (fusion_bench/config and fusion_bench/tasks), which trained and scored them.
 */

export interface Preset {
  readonly id: string;
  readonly title: string;
  /** One line for people; sizes follow from the tensors' shapes at 4 bytes a number. */
  readonly description: string;
  /** Bytes of the base and all tasks, from shapes. */
  readonly aboutBytes: number;
  /** Reference of the base, with the revision that has safetensors. */
  readonly base: string;
  readonly tasks: readonly PresetTask[];
  /** λ of task arithmetic; null where nothing is known. */
  readonly lambda: number | null;
  /** Where the checkpoints, the prompts and λ come from. */
  readonly source: string;
}

export interface PresetTask {
  readonly ref: string;
  /** Key in results and file names. */
  readonly name: string;
  readonly title: string;
  readonly test: PresetTest;
}

/** A split of a data set repo: files `FOLDER/SPLIT-00000-of-00001.parquet`. */
export interface SplitPlace {
  readonly repo: string;
  /** `data`, or the name of a configuration. */
  readonly folder: string;
  readonly split: string;
}

export interface PresetImageTest extends SplitPlace {
  readonly kind: 'image';
  /** File of class names and templates below `presets/` of the page. */
  readonly classes: string;
}

export interface PresetTextTest extends SplitPlace {
  readonly kind: 'text';
  readonly prompt: string;
  readonly answers: readonly string[] | null;
  readonly metric: 'accuracy' | 'spearman';
  readonly maxNewTokens: number;
}

export type PresetTest = PresetImageTest | PresetTextTest;

const F32_BYTES = 4;

function image(repo: string, classes: string, folder = 'data'): PresetImageTest {
  return { kind: 'image', repo, folder, split: 'test', classes: `${classes}.json` };
}

const VISION_TASKS: readonly Omit<PresetTask, 'ref'>[] = [
  { name: 'sun397', title: 'SUN397', test: image('tanganke/sun397', 'sun397') },
  { name: 'stanford-cars', title: 'Cars', test: image('tanganke/stanford_cars', 'stanford-cars') },
  { name: 'resisc45', title: 'RESISC45', test: image('tanganke/resisc45', 'resisc45') },
  { name: 'eurosat', title: 'EuroSAT', test: image('tanganke/eurosat', 'eurosat') },
  { name: 'svhn', title: 'SVHN', test: image('ufldl-stanford/svhn', 'svhn', 'cropped_digits') },
  { name: 'gtsrb', title: 'GTSRB', test: image('tanganke/gtsrb', 'gtsrb') },
  { name: 'mnist', title: 'MNIST', test: image('ylecun/mnist', 'mnist', 'mnist') },
  { name: 'dtd', title: 'DTD', test: image('tanganke/dtd', 'dtd') },
];

interface Clip {
  readonly model: string;
  readonly called: string;
  readonly base: string;
  /** Parameters of the whole CLIP, and of its vision tower alone. */
  readonly baseParameters: number;
  readonly taskParameters: number;
}

function clipPreset({ model, called, base, baseParameters, taskParameters }: Clip): Preset {
  return {
    id: model,
    title: `CLIP ${called}, eight tasks`,
    description: `Vision towers fine-tuned on eight image data sets, and openai/${model} they come from.`,
    aboutBytes: F32_BYTES * (baseParameters + VISION_TASKS.length * taskParameters),
    base,
    tasks: VISION_TASKS.map((task) => ({ ...task, ref: `tanganke/${model}_${task.name}` })),
    lambda: 0.3,
    source:
      'FusionBench (CLIPVisionModelPool, clip_classification); λ as in AdaMerging for eight tasks.',
  };
}

type GlueTask = Pick<PresetTask, 'name' | 'title'> &
  Pick<PresetTextTest, 'prompt' | 'answers'> & { readonly split?: string };

/** Prompts word for word, "Answere" included: the models were trained on them. */
const GLUE_TASKS: readonly GlueTask[] = [
  {
    name: 'cola',
    title: 'CoLA',
    prompt: `Indicate if the following sentence is grammatically correct or not: "{sentence}". Answere 'acceptable' or 'unacceptable'.`,
    answers: ['unacceptable', 'acceptable'],
  },
  {
    name: 'mnli',
    title: 'MNLI',
    split: 'validation_matched',
    prompt: `Does the premise: '{premise}' logically imply, contradict, or is neutral to the hypothesis: '{hypothesis}'? Answere with 'entailment', 'contradiction', or 'neutral'.`,
    answers: ['entailment', 'neutral', 'contradiction'],
  },
  {
    name: 'mrpc',
    title: 'MRPC',
    prompt: `Are the following sentences '{sentence1}' and '{sentence2}' conveying the same meaning? Answere with 'yes' or 'no'.`,
    answers: ['no', 'yes'],
  },
  {
    name: 'qnli',
    title: 'QNLI',
    prompt: `Given the context: '{sentence}', does the question '{question}' have an answer based on the information provided? Answer with 'yes' or 'no'.`,
    answers: ['yes', 'no'],
  },
  {
    name: 'qqp',
    title: 'QQP',
    prompt: `Do the questions '{question1}' and '{question2}' have the same intent? Answere with 'yes' or 'no'.`,
    answers: ['no', 'yes'],
  },
  {
    name: 'rte',
    title: 'RTE',
    prompt: `Does the text: '{sentence1}' entail that '{sentence2}' is true? Provide 'yes' or 'no'.`,
    answers: ['yes', 'no'],
  },
  {
    name: 'sst2',
    title: 'SST-2',
    prompt: `Given the sentence '{sentence}', determine the sentiment. Is it positive or negative?`,
    answers: ['negative', 'positive'],
  },
  {
    name: 'stsb',
    title: 'STS-B',
    prompt: `Consider the sentences '{sentence1}' and '{sentence2}'. On a scale from 1 (completely different) to 5 (completely similar), rate the similarity.`,
    answers: null,
  },
];

/** The protocol generates up to length 10, of which the first is the start token. */
const GLUE_NEW_TOKENS = 9;

function glueTask(task: GlueTask, ref: string): PresetTask {
  const { name, title, split = 'validation', prompt, answers } = task;
  const metric = answers === null ? 'spearman' : 'accuracy';
  const place = { repo: 'nyu-mll/glue', folder: name, split };
  const maxNewTokens = GLUE_NEW_TOKENS;
  return {
    ref,
    name,
    title,
    test: { kind: 'text', ...place, prompt, answers, metric, maxNewTokens },
  };
}

const FLAN_T5_BASE = 'google/flan-t5-base';
const FLAN_T5_BASE_PARAMETERS = 247_577_856;
/** Rank 16 on q and v of 12 + 2 x 12 attention layers of width 768. */
const FLAN_T5_LORA_PARAMETERS = 16 * (768 + 768) * 2 * 36;

export const PRESETS: readonly Preset[] = [
  clipPreset({
    model: 'clip-vit-base-patch32',
    called: 'ViT-B/32',
    // The main branch has a pickle only; this is a conversion of it.
    base: 'openai/clip-vit-base-patch32@refs/pr/66',
    baseParameters: 151_277_313,
    taskParameters: 87_456_000,
  }),
  clipPreset({
    model: 'clip-vit-base-patch16',
    called: 'ViT-B/16',
    // As above.
    base: 'openai/clip-vit-base-patch16@refs/pr/16',
    baseParameters: 149_620_737,
    taskParameters: 85_799_424,
  }),
  clipPreset({
    model: 'clip-vit-large-patch14',
    called: 'ViT-L/14',
    base: 'openai/clip-vit-large-patch14',
    baseParameters: 427_616_513,
    taskParameters: 303_179_776,
  }),
  {
    id: 'flan-t5-base-glue',
    title: 'Flan-T5-base, GLUE, full fine-tunes',
    description: 'Flan-T5-base fine-tuned on eight GLUE tasks put into words.',
    aboutBytes: F32_BYTES * FLAN_T5_BASE_PARAMETERS * (1 + GLUE_TASKS.length),
    base: FLAN_T5_BASE,
    tasks: GLUE_TASKS.map((task) => glueTask(task, `tanganke/flan-t5-base_glue-${task.name}`)),
    lambda: 0.3,
    source: 'FusionBench (Seq2SeqLMPool, flan_t5_text_generation), λ of its table.',
  },
  {
    id: 'flan-t5-base-glue-lora-16',
    title: 'Flan-T5-base, GLUE, LoRA rank 16',
    description: 'Adapters of rank 16 for eight GLUE tasks put into words, and their base.',
    aboutBytes: F32_BYTES * (FLAN_T5_BASE_PARAMETERS + GLUE_TASKS.length * FLAN_T5_LORA_PARAMETERS),
    base: FLAN_T5_BASE,
    tasks: GLUE_TASKS.map((task) => {
      return glueTask(task, `tanganke/flan-t5-base_glue-${task.name}_lora-16`);
    }),
    lambda: 0.3,
    source: 'FusionBench (Seq2SeqLMPool, flan_t5_text_generation), λ of its table.',
  },
];

export function presetOf(id: string): Preset | null {
  return PRESETS.find((preset) => preset.id === id) ?? null;
}
