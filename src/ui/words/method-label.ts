/** Methods as people read them. */
import { type CompressMethod, COMPRESSORS } from '@/methods/registry';
import {
  type GroupKind,
  isCompressed,
  type MethodFamily,
  type MethodId,
  type MethodSetting,
  parseMethod,
} from '@/recipe/parsed-method';
import { bytes } from './format';

const WHOLE_LABELS: Readonly<Record<Exclude<MethodFamily, CompressMethod>, string>> = {
  pretrained: 'Pretrained',
  finetuned: 'Fine-tuned',
  merged: 'Merged',
};

const ADAPTER_LABELS: Partial<Record<MethodFamily, string>> = {
  finetuned: 'Single-task LoRA',
  merged: 'Merged adapters',
};

/** The name of a family without its setting, for a curve through many. */
export function familyLabel(family: MethodFamily, kind: GroupKind): string {
  if (isCompressed(family)) return COMPRESSORS[family].title;
  if (kind === 'loras' && family === 'finetuned') return 'As they came';
  return (kind === 'adapters' ? ADAPTER_LABELS[family] : undefined) ?? WHOLE_LABELS[family];
}

/** `10 %`, `q = 8`, `95 % energy`, `0.9 of the norm`, `σ₁ / 20`, `1.20 MB budget`. */
export function settingLabel(setting: MethodSetting): string {
  switch (setting.by) {
    case 'entries':
      return `${setting.percent} %`;
    case 'count':
      return `q = ${setting.q}`;
    case 'energy':
      return `${setting.percent} % energy`;
    case 'fro':
      return `${setting.share} of the norm`;
    case 'ratio':
      return `σ₁ / ${setting.ratio}`;
    case 'bytes':
      return `${bytes(setting.budget)} budget`;
  }
}

/** `Fine-tuned`, `PERU-FFT (10 %)`, `PERU-LoRA (q = 8)`; the id itself where it is unknown. */
export function methodLabel(method: MethodId, kind: GroupKind): string {
  const parsed = parseMethod(method);
  if (parsed === null) return method;
  const label = familyLabel(parsed.family, kind);
  return parsed.setting === null ? label : `${label} (${settingLabel(parsed.setting)})`;
}
