/**
 * Answers of a T5 in the browser: prompts to tokens by the repo's own tokenizer, greedy decoding
 * with any weights, and text back.
 */
import { type Provider } from '@/evaluate/runtime/session';
import { readT5Config } from './t5-config';
import { type AnswerRequest, type LogitsRequest, T5Runner } from './t5-runner';
import { createTextTokenizer, type TextTokenizer } from './text-tokenizer';

export interface T5EvaluatorOptions {
  /** Parsed config.json of the base, a T5ForConditionalGeneration. */
  readonly config: unknown;
  /** Parsed generation_config.json, where the repo has one. */
  readonly generationConfig?: unknown;
  /** Parsed tokenizer.json and tokenizer_config.json of the base. */
  readonly tokenizer: object;
  readonly tokenizerConfig: object;
  readonly provider: Provider;
  /** Names of tensors that models may have otherwise than the base; all where it is left out. */
  readonly changed?: ReadonlySet<string>;
}

/**
 * Checks the repo's files and builds the graphs; nothing is fetched before first use.
 *
 * @throws PeruError 'unsupported' or 'parse' when the base is not a T5 model Peru can score
 */
export function createT5Evaluator(options: T5EvaluatorOptions): T5Evaluator {
  const config = readT5Config(options.config, options.generationConfig ?? null);
  const tokenizer = createTextTokenizer(options.tokenizer, options.tokenizerConfig);
  const { changed } = options;
  const mayChange = (name: string) => changed?.has(name) ?? true;
  return new T5Evaluator(tokenizer, new T5Runner(config, options.provider, mayChange));
}

export class T5Evaluator {
  readonly #tokenizer: TextTokenizer;
  readonly #runner: T5Runner;

  constructor(tokenizer: TextTokenizer, runner: T5Runner) {
    this.#tokenizer = tokenizer;
    this.#runner = runner;
  }

  /** Weights that each model brings. */
  get modelWeights(): readonly string[] {
    return this.#runner.modelWeights;
  }

  /** Bytes of GPU buffers held while a batch is answered; weights are the caller's. */
  get gpuBytes(): number {
    return this.#runner.gpuBytes;
  }

  /** Fetches the runtime and compiles the graphs ahead of the first `generate`. */
  warmUp(): Promise<void> {
    return this.#runner.warmUp();
  }

  /** Token ids of each prompt, end of sequence included; made once and kept by the caller. */
  tokenize(texts: readonly string[]): Int32Array[] {
    return texts.map((text) => this.#tokenizer.encode(text));
  }

  /**
   * The greedy answer to each prompt, in order: special tokens skipped, outer spaces stripped.
   * An aborted `signal` ends the work between two runs with its reason.
   *
   * @throws PeruError 'mismatch' when a weight is missing or of another shape
   */
  async generate(request: AnswerRequest): Promise<string[]> {
    const answers = await this.#runner.generate(request);
    return answers.map((ids) => this.#tokenizer.decode(ids).trim());
  }

  /**
   * Logits [inputs, vocabulary] of the first token of each answer, or of the next one where
   * `answers` says what came before it.
   *
   * @throws PeruError 'mismatch' when a weight is missing or of another shape
   */
  firstLogits(request: LogitsRequest): Promise<Float32Array> {
    return this.#runner.nextLogits(request);
  }

  /** Ends the sessions; running calls fail at their next run. */
  dispose(): void {
    this.#runner.dispose();
  }
}
