import { describe, expect, it } from 'vitest';
import {
  behind,
  bertShapes,
  classifier,
  CLIP_IDS,
  clipShapes,
  clipVision,
  header,
  plannedTensor,
  t5Shapes,
} from '@/plan/headers.fixture';
import { type ModelFacts } from '@/plan/model-facts';
import { type GroupOfCheckpoints, planGroup } from '@/plan/plan-group';
import { type Finding, MAX_LISTED_NAMES } from '@/plan/preflight';
import { groupFindings } from './group-findings';

const FACTS = { config: null, tokenizerHash: null, licence: 'mit' };

function findings(
  group: GroupOfCheckpoints,
  facts: (index: number) => Partial<ModelFacts> = () => ({}),
): Finding[] {
  const models = [group.base, ...group.tasks].map(({ name }, i) => ({
    name,
    ...FACTS,
    ...facts(i),
  }));
  return groupFindings({ plan: planGroup(group), models });
}

function about(topic: Finding['topic'], all: readonly Finding[]): Finding[] {
  return all.filter((one) => one.topic === topic);
}

/** The one finding of a topic. */
function only(topic: Finding['topic'], all: readonly Finding[]): Finding {
  const found = about(topic, all);
  expect(found).toHaveLength(1);
  return found[0]!;
}

const vision = behind('vision_model.', clipVision());
const clip = header('clip', clipShapes(), 'F32', CLIP_IDS);
const visionTasks = { base: clip, tasks: ['sun397', 'dtd'].map((name) => header(name, vision)) };

describe('groupFindings', () => {
  it('has nothing to warn of in the towers of ViT-B/32', () => {
    const configs = [
      { model_type: 'clip', vision_config: { hidden_size: 768, patch_size: 32 } },
      ...visionTasks.tasks.map(() => ({ model_type: 'clip_vision_model', hidden_size: 768 })),
    ];
    const all = findings(visionTasks, (i) => ({ config: configs[i]! }));
    expect(all.filter(({ level }) => level === 'warning')).toEqual([]);
    const [merged, left] = about('tensors', all).sort((a, b) => b.level.localeCompare(a.level));
    expect(merged!.title).toBe(
      'All 199 tensors of the 2 fine-tunes match the base in name and shape.',
    );
    const rest = clip.tensors.size - 199 - Object.keys(CLIP_IDS).length;
    expect(left!.title).toBe(`${rest} tensors of the base stand in no fine-tune.`);
    expect(left!.names).toHaveLength(MAX_LISTED_NAMES);
    expect(left!.names).not.toContain('vision_model.embeddings.position_ids');
    expect(left!.names.length + left!.moreNames).toBe(rest);
    expect(only('integers', all).names).toEqual(Object.keys(CLIP_IDS));
    expect(only('architecture', all).level).toBe('ok');
    expect(only('dtypes', all).title).toContain('F32');
    expect(about('own-tensors', all)).toEqual([]);
  });

  it('puts warnings first and what is well last', () => {
    const group = { ...visionTasks, patterns: { include: [], exclude: ['nothing', '*bias'] } };
    const levels = findings(group).map(({ level }) => level);
    expect(levels[0]).toBe('warning');
    expect(levels).toEqual([...levels].sort((a, b) => ORDER.indexOf(a) - ORDER.indexOf(b)));
    const [unused, excluded] = about('patterns', findings(group));
    expect(unused!.title).toContain('“nothing”');
    expect(excluded!.names.every((name) => name.endsWith('bias'))).toBe(true);
  });

  it('tells fine-tunes with the same names as one', () => {
    const tasks = ['a', 'b'].map((name) => header(name, clipVision()));
    const all = findings({ base: clip, tasks: [...tasks, header('c', vision)] });
    const named = only('names', all);
    expect(named.title).toBe(
      'a and b name 199 tensors otherwise than the base: without “vision_model.” before them.',
    );
    expect(named.names.length + named.moreNames).toBe(199);
  });

  it('names heads by task, and warns of more than a head', () => {
    const body = behind('bert.', bertShapes());
    const tasks = [
      header('cola', { ...body, ...classifier(2) }),
      header('rte', { ...body, ...classifier(2) }),
      header('squad', { ...body, 'qa_outputs.weight': [2, 768] }),
    ];
    const heads = about('own-tensors', findings({ base: header('bert', bertShapes()), tasks }));
    expect(heads.map(({ title }) => title)).toEqual([
      'cola and rte keep 2 tensors whole.',
      'squad keeps 1 tensor whole.',
    ]);
    expect(heads.map(({ level }) => level)).toEqual(['note', 'note']);
    const part = { base: clip, tasks: [header('whole', clipShapes()), header('dtd', vision)] };
    const lacking = only('own-tensors', findings(part));
    expect(lacking).toMatchObject({ level: 'warning', moreNames: 99 });
    expect(lacking.title).toBe('whole keeps 199 tensors whole, 42 % of it.');
    expect(lacking.detail).toContain('Another fine-tune lacks them');
  });

  it('gives both sizes of a vocabulary', () => {
    const base = header('bert', bertShapes());
    const grown = header('chem', bertShapes({ layers: 12, width: 768, vocabulary: 31090 }));
    const all = findings({ base, tasks: [grown, header('plain', bertShapes())] });
    expect(only('vocabulary', all)).toMatchObject({
      level: 'warning',
      names: ['embeddings.word_embeddings.weight'],
    });
    expect(only('vocabulary', all).title).toContain('31090 rows where the base has 30522');
    // The plain one can not be merged with it, and is told why.
    expect(only('own-tensors', all).title).toContain('plain keeps 1 tensor whole');
  });

  it('says which files hold copies of an embedding', () => {
    const copied = t5Shapes(undefined, ['shared', 'encoder', 'head']);
    const all = findings({ base: header('t5', t5Shapes()), tasks: [header('rte', copied)] });
    expect(only('tied', all)).toMatchObject({
      level: 'note',
      names: ['encoder.embed_tokens.weight'],
    });
    expect(only('tied', all).title).toBe('rte holds 1 copy of an embedding.');
  });

  it('says who stores its numbers how', () => {
    const tasks = [
      header('a', vision, 'F16'),
      header('b', vision, 'BF16'),
      header('c', vision, 'F16'),
    ];
    const { level, detail } = only('dtypes', findings({ base: clip, tasks }));
    expect(level).toBe('note');
    expect(detail).toContain('clip as F32; a and c as F16; b as BF16');
  });

  it('tells of quantities that are plain words in JavaScript', () => {
    const tensors = new Map([['__proto__', plannedTensor('F32', [2])]]);
    const all = findings({ base: { name: 'b', tensors }, tasks: [{ name: 't', tensors }] });
    expect(about('tensors', all)[0]!.title).toContain('All 1 tensor of the 1 fine-tune');
  });
});

describe('tokenizers', () => {
  const bert = bertShapes({ layers: 1, width: 8, vocabulary: 30 });
  const text = { base: header('base', bert), tasks: [header('a', bert), header('b', bert)] };
  const told = (group: GroupOfCheckpoints, hashes: readonly (string | null)[]) =>
    about(
      'tokenizer',
      findings(group, (i) => ({ tokenizerHash: hashes[i] ?? null })),
    );

  it('are equal, differ or are missing', () => {
    expect(told(text, ['x', 'x', 'x'])).toMatchObject([{ level: 'ok' }]);
    expect(told(text, ['x', 'y', 'x'])).toMatchObject([
      { level: 'warning', title: 'a has another tokenizer than the rest.' },
    ]);
    expect(told(text, ['x', null, null])).toMatchObject([
      { level: 'note', title: 'a and b bring no tokenizer.' },
    ]);
    expect(told(text, [])).toEqual([]);
  });

  it('do not matter where no embedding is merged', () => {
    expect(told(visionTasks, ['x', null, null])).toEqual([]);
    expect(told(visionTasks, ['x', 'y', 'y'])).toMatchObject([{ level: 'note' }]);
  });
});

describe('configurations', () => {
  const told = (...configs: (Record<string, unknown> | null)[]) =>
    about(
      'architecture',
      findings(visionTasks, (i) => ({ config: configs[i] ?? null })),
    );

  it('are compared where they describe the same kind of part', () => {
    const base = {
      model_type: 'clip',
      vision_config: { num_attention_heads: 12, hidden_size: 768 },
    };
    const sound = { model_type: 'clip_vision_model', num_attention_heads: 12, hidden_size: 768 };
    expect(told(base, sound, sound)).toMatchObject([{ level: 'ok' }]);
    const [odd] = told(base, sound, { ...sound, num_attention_heads: 16 });
    expect(odd).toMatchObject({ level: 'warning' });
    expect(odd!.title).toContain('dtd');
    expect(odd!.detail).toContain('num_attention_heads is 16 instead of 12');
    const [other] = told(base, { model_type: 'siglip' }, { model_type: 'siglip' });
    expect(other!.title).toContain('sun397 and dtd');
    expect(other!.detail).toContain('model_type is siglip instead of clip');
  });

  it('may be missing, and may hold anything', () => {
    expect(told()).toMatchObject([
      { level: 'note', title: 'clip, sun397 and dtd bring no config.json.' },
    ]);
    const odd = { model_type: ['x'], vision_config: 7, hidden_size: { a: 1 } };
    expect(told(odd, odd, odd)).toMatchObject([{ level: 'ok' }]);
    const long = { model_type: 'y'.repeat(1e6) };
    const [warning] = told({ model_type: 'clip' }, long, long);
    expect(warning!.detail.length).toBeLessThan(300);
  });
});

const ORDER: readonly Finding['level'][] = ['warning', 'note', 'ok'];
