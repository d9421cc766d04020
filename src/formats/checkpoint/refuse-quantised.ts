/**
 * Quantised checkpoints: codes and scales instead of weights. Their tensors tell, whatever the
 * configuration says; the configuration gives the method its name. A model that was dequantised, and
 * whose configuration still tells of it, holds plain floats and is none.
 */
import { type CheckpointTensors } from '@/tensor/checkpoint-tensors';
import { PeruError } from '@/core/errors';
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
  'unscaled-fp8': {
    title: 'FP8 whose scales are not multiplied in',
    wayOut:
      'Load the FP8 model with transformers and FineGrainedFP8Config(dequantize=True), or convert it with DeepSeek’s fp8_cast_bf16.py, and save that; where the scales are in the weights already, save without the tensors named weight_scale_inv.',
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
  exl2: { title: 'EXL2', wayOut: `${ORIGINAL}.` },
  exl3: { title: 'EXL3', wayOut: `${ORIGINAL}.` },
  quip: { title: 'QuIP#', wayOut: `${ORIGINAL}.` },
  spqr: { title: 'SpQR', wayOut: `${ORIGINAL}.` },
  marlin: { title: 'Marlin', wayOut: `${ORIGINAL}.` },
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
  { id: 'exl2', end: /\.q_weight$/, beside: ['.q_scale', '.q_invperm'] },
  { id: 'exl3', end: /\.trellis$/, beside: ['.suh', '.svh', '.su', '.sv'] },
  { id: 'quip', end: /\.Qidxs(?:_\d+)?$/ },
  { id: 'spqr', end: /\.dense_weights$/, beside: ['.row_offsets', '.col_vals'] },
  { id: 'marlin', end: /\.B$/, isCode: isInteger, beside: ['.s'] },
  { id: 'quanto', end: /\.weight(?:\._data)+$/ },
  { id: 'torchao', end: /[._]weight[_:]_?qdata$|\.weight\.tensor_impl\.\w+$/ },
  { id: 'gptq', end: /\.qweight$/, beside: ['.g_idx'] },
  { id: 'packed', end: /\.qweight$/, beside: ['.qzeros', '.scales', '.wscales'] },
  { id: 'modelopt', end: /\.weight$/, isCode: isInteger, beside: ['.weight_scale_2'] },
  { id: 'compressed-tensors', end: /\.weight_packed$/, beside: ['.weight_scale'] },
  // Of half the weights, those that are not zero, closed up: the same place is another weight's.
  { id: 'compressed-tensors', end: /\.compressed$/, beside: ['.bitmask'] },
  { id: 'bitsandbytes', end: /$/, isCode: isInteger, beside: ['.absmax', '.quant_map'] },
  { id: 'bitsandbytes', end: /\.weight$/, isCode: isInteger, beside: ['.SCB', '.weight_format'] },
  { id: 'mxfp4', end: /_blocks$/, isCode: isInteger, beside: ['_scales'] },
  { id: 'mlx', end: /\.weight$/, isCode: ({ dtype }) => dtype === 'U32', beside: ['.scales'] },
  { id: 'fp8', end: /$/, isCode: isFloat8 },
  { id: 'unscaled-fp8', end: /\.weight$/, beside: ['.weight_scale_inv'] },
  { id: 'integers', end: /(?:^|\.)weight$/, isCode: isInteger },
];
/** Dtypes of codes, which ids of positions do not have. */
const CODE_DTYPE = /^(?:[UI]8|[UI]16|[UI]32)$/;
/** Masks are stored as such too. */
const MASK = /(?:bias|(?:^|[._])mask)$/;
/** Ids of positions and the like, of any dtype. */
const IDS = /(?:^|[._])(?:ids|index|indices)$/;
/** Integers that are this part of a file's bytes are its weights, whatever they are called. */
const MUCH = 1 / 4;

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
  const unknown = mostlyIntegers(tensors);
  return unknown === null ? null : { id: 'integers', tensor: unknown };
}

/** The first of several tensors of integers that are much of a file; one may be a table. */
function mostlyIntegers(tensors: CheckpointTensors['tensors']): string | null {
  const codes = [...tensors].filter(
    ([name, tensor]) =>
      isInteger(tensor) && tensor.dtype !== 'BOOL' && !MASK.test(name) && !IDS.test(name),
  );
  const bytes = (some: Iterable<readonly [string, { readonly byteLength: number }]>): number =>
    [...some].reduce((sum, [, { byteLength }]) => sum + byteLength, 0);
  return codes.length > 1 && bytes(codes) > MUCH * bytes(tensors) ? codes[0]![0] : null;
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
