/** Flan-T5-base and its adapters at their true shapes, with made-up weights. */
import { type FixtureFile, type FixtureFiles, memoryFile } from './content';
import { type SyntheticCheckpoint, syntheticFile, type SyntheticTensor } from './synthetic';
import { zooJson } from './zoo-files';

const WIDTH = 768;
const HEADS = 12;
const INNER = 2048;
const LAYERS = 12;
const VOCABULARY = 32_128;
const BUCKETS = 32;
const RANK = 16;

type Weights = Omit<SyntheticCheckpoint, 'tensors'>;

/** A checkpoint as google/flan-t5-base: weights, config, tokenizer. */
export function t5Files(weights: Weights): FixtureFiles {
  const files = new Map<string, FixtureFile>();
  const add = (path: string, content: unknown): void => {
    files.set(path, memoryFile(path, JSON.stringify(content, null, 2)));
  };
  add('config.json', CONFIG);
  add('generation_config.json', { decoder_start_token_id: 0, eos_token_id: 1, pad_token_id: 0 });
  // The zoo's knows few words, all of them below the true vocabulary's end.
  add('tokenizer.json', zooJson('text/models/t5-tiny/tokenizer.json'));
  add('tokenizer_config.json', zooJson('text/models/t5-tiny/tokenizer_config.json'));
  files.set('model.safetensors', syntheticFile({ ...weights, tensors: t5Tensors() }));
  return files;
}

const CONFIG = {
  architectures: ['T5ForConditionalGeneration'],
  d_ff: INNER,
  d_kv: WIDTH / HEADS,
  d_model: WIDTH,
  decoder_start_token_id: 0,
  dropout_rate: 0.1,
  eos_token_id: 1,
  feed_forward_proj: 'gated-gelu',
  initializer_factor: 1,
  is_encoder_decoder: true,
  layer_norm_epsilon: 1e-6,
  model_type: 't5',
  n_positions: 512,
  num_decoder_layers: LAYERS,
  num_heads: HEADS,
  num_layers: LAYERS,
  pad_token_id: 0,
  relative_attention_max_distance: 128,
  relative_attention_num_buckets: BUCKETS,
  tie_word_embeddings: false,
  vocab_size: VOCABULARY,
};

/** Names and shapes, sorted as the safetensors package writes them. */
export function t5Tensors(): SyntheticTensor[] {
  const tensors: SyntheticTensor[] = [
    { name: 'shared.weight', shape: [VOCABULARY, WIDTH] },
    { name: 'lm_head.weight', shape: [VOCABULARY, WIDTH] },
    ...stack('encoder', ['SelfAttention']),
    ...stack('decoder', ['SelfAttention', 'EncDecAttention']),
  ];
  return tensors.sort((a, b) => (a.name < b.name ? -1 : 1));
}

function stack(side: string, attentions: readonly string[]): SyntheticTensor[] {
  const blocks = Array.from({ length: LAYERS }, (_, block) => {
    const at = `${side}.block.${block}.layer`;
    const feedForward = `${at}.${attentions.length}`;
    return [
      ...attentions.flatMap((kind, layer) => [
        ...['q', 'k', 'v', 'o'].map((part) => square(`${at}.${layer}.${kind}.${part}.weight`)),
        norm(`${at}.${layer}.layer_norm`),
      ]),
      { name: `${feedForward}.DenseReluDense.wi_0.weight`, shape: [INNER, WIDTH] },
      { name: `${feedForward}.DenseReluDense.wi_1.weight`, shape: [INNER, WIDTH] },
      { name: `${feedForward}.DenseReluDense.wo.weight`, shape: [WIDTH, INNER] },
      norm(`${feedForward}.layer_norm`),
    ];
  });
  const bias = `${side}.block.0.layer.0.SelfAttention.relative_attention_bias.weight`;
  return [
    ...blocks.flat(),
    { name: bias, shape: [BUCKETS, HEADS] },
    norm(`${side}.final_layer_norm`),
  ];
}

function square(name: string): SyntheticTensor {
  return { name, shape: [WIDTH, WIDTH] };
}

function norm(name: string): SyntheticTensor {
  return { name: `${name}.weight`, shape: [WIDTH] };
}

/** An adapter of rank 16 on every q and v, as PEFT saves it. */
export function t5AdapterFiles(weights: Weights, base: string): FixtureFiles {
  const attention = /^(.*Attention\.[qv])\.weight$/;
  const tensors = t5Tensors().flatMap(({ name }) => {
    const module = attention.exec(name)?.[1];
    if (module === undefined) return [];
    const key = `base_model.model.${module}`;
    return [
      { name: `${key}.lora_A.weight`, shape: [RANK, WIDTH] },
      { name: `${key}.lora_B.weight`, shape: [WIDTH, RANK] },
    ];
  });
  const config = {
    base_model_name_or_path: base,
    bias: 'none',
    fan_in_fan_out: false,
    inference_mode: true,
    lora_alpha: 32,
    lora_dropout: 0.1,
    modules_to_save: null,
    peft_type: 'LORA',
    r: RANK,
    target_modules: ['q', 'v'],
    task_type: 'SEQ_2_SEQ_LM',
    use_dora: false,
    use_rslora: false,
  };
  const path = 'adapter_config.json';
  return new Map([
    [path, memoryFile(path, JSON.stringify(config))],
    ['adapter_model.safetensors', syntheticFile({ ...weights, tensors })],
  ]);
}
