/**
 * Quantised checkpoints: codes and scales instead of weights. Their tensors tell, whatever the
 * configuration says; the configuration gives the method its name. A model that was dequantised, and
 * whose configuration still tells of it, holds plain floats and is none.
 */
import { type CheckpointTensors } from '@/tensor/checkpoint-tensors';
import { PeruError } from '@/tensor/errors';
import { dtypeClass, type SafetensorsDtype } from '@/tensor/safetensors-dtype';
import { isRecord } from './json-file';

interface Method {
  readonly title: string;
  readonly wayOut: string;
}

type Config = Readonly<Record<string, unknown>>;

const ORIGINAL =
  'Use the model as it was before quantisation: its card names it as base_model, and adapters of the quantised one fit it, too';

const METHODS = {
  bitsandbytes: {
    title: 'bitsandbytes',
    wayOut: `${ORIGINAL}; or load it with transformers, call model.dequantize() and save_pretrained.`,
  },
  'compressed-tensors': {
    title: 'compressed-tensors',
    wayOut: `${ORIGINAL}; or load it with transformers and CompressedTensorsConfig(run_compressed=False), and save it in BF16.`,
  },
  fp8: {
    title: 'FP8',
    wayOut:
      'Use the BF16 model where there is one; or save it in BF16: transformers loads it so with FineGrainedFP8Config(dequantize=True), DeepSeek’s own code has fp8_cast_bf16.py, and weights without scales are cast by model.to(torch.bfloat16).',
  },
  mxfp4: {
    title: 'MXFP4',
    wayOut:
      'Load it with transformers and Mxfp4Config(dequantize=True), save it in BF16 with save_pretrained, and use fine-tunes saved so.',
  },
  mlx: {
    title: 'MLX',
    wayOut: `${ORIGINAL}; or dequantise it with mlx_lm.convert --dequantize.`,
  },
  gptq: { title: 'GPTQ', wayOut: `${ORIGINAL}.` },
  awq: { title: 'AWQ', wayOut: `${ORIGINAL}.` },
  packed: { title: 'GPTQ or AWQ', wayOut: `${ORIGINAL}.` },
  aqlm: { title: 'AQLM', wayOut: `${ORIGINAL}.` },
  vptq: { title: 'VPTQ', wayOut: `${ORIGINAL}.` },
  hqq: { title: 'HQQ', wayOut: `${ORIGINAL}.` },
  quanto: { title: 'quanto', wayOut: `${ORIGINAL}.` },
  torchao: { title: 'torchao', wayOut: `${ORIGINAL}.` },
  modelopt: { title: 'NVFP4, ModelOpt', wayOut: `${ORIGINAL}.` },
  integers: { title: 'integers in the place of weights', wayOut: `${ORIGINAL}.` },
} satisfies Readonly<Record<string, Method>>;

type MethodId = keyof typeof METHODS;

interface Tensor {
  readonly dtype: SafetensorsDtype;
  readonly shape: readonly number[];
}

/** What tells a method: a tensor's name, its dtype, and what stands beside it. */
interface Sign {
  readonly id: MethodId;
  readonly end: RegExp;
  readonly isCode?: (tensor: Tensor) => boolean;
  /** Any of these, in the place of the end. */
  readonly beside?: readonly string[];
}

const isInteger = ({ dtype, shape }: Tensor): boolean =>
  dtypeClass(dtype) === 'integer' && shape.length > 1;
const isFloat8 = ({ dtype }: Tensor): boolean => dtype.startsWith('F8_');

/** The first that some tensor bears decides. */
const SIGNS: readonly Sign[] = [
  { id: 'aqlm', end: /\.codes$/, beside: ['.codebooks'] },
  { id: 'vptq', end: /\.indices$/, beside: ['.centroids', '.centroids.weight'] },
  { id: 'hqq', end: /\.W_q$/ },
  { id: 'quanto', end: /\.weight\._data$/ },
  { id: 'torchao', end: /[._]weight[_:]_?qdata$/ },
  { id: 'gptq', end: /\.qweight$/, beside: ['.g_idx'] },
  { id: 'packed', end: /\.qweight$/, beside: ['.qzeros', '.scales', '.wscales'] },
  { id: 'modelopt', end: /\.weight$/, isCode: isInteger, beside: ['.weight_scale_2'] },
  { id: 'compressed-tensors', end: /\.weight_packed$/, beside: ['.weight_scale'] },
  { id: 'bitsandbytes', end: /$/, isCode: isInteger, beside: ['.absmax', '.quant_map'] },
  { id: 'bitsandbytes', end: /\.weight$/, isCode: isInteger, beside: ['.SCB', '.weight_format'] },
  { id: 'mxfp4', end: /_blocks$/, isCode: isInteger, beside: ['_scales'] },
  { id: 'mlx', end: /\.weight$/, isCode: ({ dtype }) => dtype === 'U32', beside: ['.scales'] },
  { id: 'fp8', end: /$/, isCode: isFloat8 },
  { id: 'integers', end: /(?:^|\.)weight$/, isCode: isInteger },
];
/** Dtypes of codes, which ids of positions do not have. */
const CODE_DTYPE = /^(?:[UI]8|[UI]16|[UI]32)$/;
/** Masks are stored as such too. */
const MASK = /(?:bias|mask)$/;

/**
 * @param readConfig reads the checkpoint's config.json, where it may matter; null without one
 * @throws PeruError `unsupported` for a quantised checkpoint, with the way out for its method
 */
export async function refuseQuantised(
  { name, tensors }: CheckpointTensors,
  readConfig: () => Promise<Config | null>,
): Promise<void> {
  const sign = signOf(tensors);
  const code = sign?.tensor ?? possibleCode(tensors);
  if (code === null) return;
  const method = methodOf(await readConfig()) ?? (sign && METHODS[sign.id]);
  // Integers by themselves are no sign: only a configuration makes them codes.
  if (method === null) return;
  throw new PeruError(
    'unsupported',
    `${name} is quantised (${method.title}): "${code}" is stored as ${tensors.get(code)!.dtype}, in codes whose average is no model.`,
    method.wayOut,
  );
}

function signOf(
  tensors: CheckpointTensors['tensors'],
): { readonly id: MethodId; readonly tensor: string } | null {
  for (const { id, end, isCode, beside } of SIGNS) {
    for (const [name, tensor] of tensors) {
      if (!end.test(name) || isCode?.(tensor) === false) continue;
      const stem = name.replace(end, '');
      if (beside?.some((suffix) => tensors.has(stem + suffix)) === false) continue;
      return { id, tensor: name };
    }
  }
  return null;
}

function possibleCode(tensors: CheckpointTensors['tensors']): string | null {
  for (const [name, tensor] of tensors) {
    if (isInteger(tensor) && CODE_DTYPE.test(tensor.dtype) && !MASK.test(name)) return name;
  }
  return null;
}

/** What a configuration says of how the model was quantised; null where nothing. */
function methodOf(config: Config | null): Method | null {
  if (config === null) return null;
  if (isRecord(config['quantization'])) return METHODS.mlx;
  const about = [config, config['text_config']]
    .filter(isRecord)
    .flatMap((one) => [one['quantization_config'], one['compression_config']])
    .find(isRecord);
  if (about === undefined) return null;
  const method = about['quant_method'];
  if (typeof method !== 'string')
    return about['load_in_4bit'] === true ? METHODS.bitsandbytes : null;
  if (Object.hasOwn(METHODS, method)) return METHODS[method as MethodId];
  if (/fp8/i.test(method)) return METHODS.fp8;
  return { title: method.slice(0, 40), wayOut: `${ORIGINAL}.` };
}
