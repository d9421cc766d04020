/** Reports of true size for tests: eight CLIP ViT-B/32 from the Hub. */
import { type Finding, type Preflight } from '@/store/sources/preflight';

const NAMES = ['sun397', 'stanford-cars', 'resisc45', 'eurosat', 'svhn', 'gtsrb', 'mnist', 'dtd'];
const ELEMENTS = 87_456_000;
const FILE_BYTES = 2 * ELEMENTS;

export function clipPreflight(change: Partial<Preflight> = {}): Preflight {
  return {
    title: 'CLIP ViT-B/32',
    kind: 'full',
    checkpoints: [
      checkpoint('openai/clip-vit-base-patch32', 'base', 'mit'),
      ...NAMES.map((name) =>
        checkpoint(`tanganke/clip-vit-base-patch32_${name}`, 'task', name === 'dtd' ? null : 'mit'),
      ),
    ],
    findings: FINDINGS,
    tensors: { mergedTensors: 199, mergedElements: ELEMENTS, untouchedTensors: 199, ownTensors: 2 },
    bytes: { neededBytes: 9 * FILE_BYTES, toFetchBytes: 8 * FILE_BYTES, keptBytes: FILE_BYTES },
    memory: {
      mode: 'resident',
      peakBytes: 11.4 * FILE_BYTES,
      leastBytes: 3 * FILE_BYTES,
      parts: [
        { label: 'Eight fine-tunes', bytes: 8 * FILE_BYTES },
        { label: 'Base', bytes: FILE_BYTES },
        { label: 'Merged model', bytes: FILE_BYTES },
        { label: 'Work space', bytes: 1.4 * FILE_BYTES },
      ],
      budgetBytes: 4e9,
      suggestedBudgetBytes: 4e9,
      readsPerByte: 1,
      diskBytes: 8 * FILE_BYTES,
      freeDiskBytes: 61.3e9,
    },
    startsByItself: false,
    ...change,
  };
}

/** The same in a budget of 1 GB. */
export function streamedPreflight(): Preflight {
  const preflight = clipPreflight();
  return {
    ...preflight,
    memory: {
      ...preflight.memory,
      mode: 'streamed',
      peakBytes: 0.96e9,
      budgetBytes: 1e9,
      readsPerByte: 3,
      parts: [
        { label: 'Chunks under way', bytes: 0.6e9 },
        { label: 'Merged model', bytes: FILE_BYTES },
        { label: 'Entries kept', bytes: 0.36e9 - FILE_BYTES },
      ],
    },
  };
}

function checkpoint(repo: string, role: 'base' | 'task', licence: string | null) {
  const name = repo.replace(/^.*\//, '');
  return {
    id: `${repo}@0123456789abcdef0123456789abcdef01234567`,
    role,
    name,
    title: role === 'base' ? 'Base model' : name,
    origin: `${repo} at 0123456`,
    byteLength: FILE_BYTES,
    dtypes: ['F16'],
    parameterCount: ELEMENTS,
    tensorCount: 199,
    licence,
  };
}

const none = { names: [], moreNames: 0 };

const FINDINGS: readonly Finding[] = [
  {
    level: 'warning',
    topic: 'licence',
    title: 'One checkpoint states no licence.',
    detail:
      'clip-vit-base-patch32_dtd has none in its model card: ask before you share the result.',
    ...none,
  },
  {
    level: 'note',
    topic: 'integers',
    title: '1 integer tensor is not merged.',
    detail: 'It stays as the base has it.',
    names: ['vision_model.embeddings.position_ids'],
    moreNames: 0,
  },
  {
    level: 'note',
    topic: 'own-tensors',
    title: '198 tensors of the base are in no fine-tune.',
    detail: 'The text tower stays as the base has it.',
    names: Array.from({ length: 100 }, (_, i) => `text_model.encoder.layers.${i}.mlp.fc1.weight`),
    moreNames: 98,
  },
  {
    level: 'ok',
    topic: 'tensors',
    title: '199 tensors match by name and shape.',
    detail: '',
    ...none,
  },
  { level: 'ok', topic: 'architecture', title: 'All are clip_vision_model.', detail: '', ...none },
];
