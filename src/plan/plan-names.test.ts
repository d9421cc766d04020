/** Files that name the base's tensors otherwise: what is matched, and what is refused. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { expectFits } from './expect-fits.fixture';
import {
  behind,
  bertShapes,
  classifier,
  CLIP_IDS,
  clipLayers,
  clipShapes,
  clipText,
  clipVision,
  gpt2Shapes,
  header,
  maskedWordHead,
  replaced,
  t5Shapes,
} from './headers.fixture';
import { inBaseNames } from './in-base-names';
import { planGroup } from './plan-group';

const vision = clipVision();
const clip = header('clip-vit-base-patch32', clipShapes(), 'F32', CLIP_IDS);

describe('names of fine-tunes', () => {
  it('matches the vision towers of ViT-B/32 as they are published', () => {
    const shapes = behind('vision_model.', vision);
    expect(Object.keys(shapes)).toHaveLength(199);
    const tasks = ['sun397', 'stanford-cars', 'dtd'].map((name) => header(name, shapes));
    const plan = planGroup({ base: clip, tasks });
    expect(plan.layout.tensors).toHaveLength(199);
    expect(plan.layout.elementCount).toBe(87_456_000);
    expect(plan.storedNames.map((names) => names.size)).toEqual([0, 0, 0, 0]);
    expect(plan.own).toEqual([[], [], []]);
    expect(plan.untouched).toContain('vision_model.embeddings.position_ids');
    expect(plan.untouched.length + 199).toBe(clip.tensors.size);
  });

  it.each(['', 'model.vision_model.', 'module.', 'vision_tower.vision_model.', '_orig_mod.x.'])(
    'finds the vision tower behind “%s”',
    (prefix) => {
      const stored = behind(prefix, vision);
      const plan = planGroup({ base: clip, tasks: [header('dtd', stored)] });
      expectFits(plan, stored, (name) => `vision_model.${name.slice(prefix.length)}`);
      expect(plan.storedNames[1]!.size).toBe(199);
    },
  );

  it.each(['module.', '_orig_mod.', 'base_model.model.', 'model.'])(
    'finds the whole model behind “%s”, heads and all',
    (prefix) => {
      const stored = behind(prefix, clipShapes());
      const plan = planGroup({ base: clip, tasks: [header('dtd', stored)] });
      expectFits(plan, stored, (name) => name.slice(prefix.length));
    },
  );

  it('finds a text tower without a prefix where it stands', () => {
    const stored = clipText();
    const plan = planGroup({ base: clip, tasks: [header('text', stored)] });
    expectFits(plan, stored, (name) => `text_model.${name}`);
  });

  it('tells towers of one width apart by what else they hold', () => {
    const [sight, words] = [
      clipVision({ layers: 3, width: 8, patch: 2, positions: 5 }),
      clipText({ layers: 3, width: 8, vocabulary: 20 }),
    ];
    const base = header('clip', clipShapes(sight, words));
    for (const [stored, tower] of [
      [sight, 'vision_model.'],
      [words, 'text_model.'],
    ] as const) {
      const plan = planGroup({ base, tasks: [header('task', stored)] });
      expectFits(plan, stored, (name) => tower + name);
    }
  });

  it('tells layers alone apart by width, then by their number, and else refuses', () => {
    const base = (count: number, width: number) =>
      header('clip', {
        ...behind('text_model.', clipText({ layers: 2, width: 8, vocabulary: 20 })),
        ...behind('vision_model.', {
          'embeddings.class_embedding': [width],
          ...clipLayers(count, width),
        }),
      });
    const stored = clipLayers(2, 8);
    const tasks = [header('layers', stored)];
    for (const one of [base(2, 12), base(3, 8)]) {
      expectFits(planGroup({ base: one, tasks }), stored, (name) => `text_model.${name}`);
    }
    expect(() => planGroup({ base: base(2, 8), tasks })).toThrow(
      /layers fits several parts of the base clip equally well.*"encoder.*"text_model\.", "vision_model\."/,
    );
  });

  it('never takes a text tower for a vision tower of the same width', () => {
    const sight = clipVision({ layers: 3, width: 8, patch: 2, positions: 5 });
    const words = clipText({ layers: 3, width: 8, vocabulary: 20 });
    const base = header('vision', behind('vision_model.', sight));
    for (const shapes of [
      words,
      behind('text_model.', words),
      behind('text_model.', clipLayers(3, 8)),
    ]) {
      expect(() => planGroup({ base, tasks: [header('text', shapes)] })).toThrow(/text shares/);
    }
  });

  it('takes the right tower out of a whole model for a base that is one tower', () => {
    const sight = clipVision({ layers: 2, width: 8, patch: 2, positions: 99 });
    const words = clipText({ layers: 2, width: 8, vocabulary: 9 });
    const stored = clipShapes(sight, words);
    // Small projections, so that most of the model is its towers.
    const small = {
      ...stored,
      'text_projection.weight': [4, 8],
      'visual_projection.weight': [4, 8],
    };
    const plan = planGroup({ base: header('base', sight), tasks: [header('task', small)] });
    expect(plan.layout.tensors).toHaveLength(Object.keys(sight).length);
    expect(
      [...plan.storedNames[1]!.values()].every((name) => name.startsWith('vision_model.')),
    ).toBe(true);
    expect(plan.own[0]).toContain('text_model.embeddings.token_embedding.weight');
  });

  it('finds the stacks of a T5 that were saved by themselves', () => {
    const size = { layers: 2, width: 8, inner: 12, vocabulary: 20 };
    const base = header('t5', t5Shapes(size));
    for (const stack of ['encoder.', 'decoder.']) {
      const all = Object.entries(t5Shapes(size)).filter(([name]) => name.startsWith(stack));
      const stored = Object.fromEntries(
        all.map(([name, shape]) => [name.slice(stack.length), shape]),
      );
      const plan = planGroup({ base, tasks: [header('task', stored)] });
      expectFits(plan, stored, (name) => stack + name);
    }
  });

  it('matches BERT with a prefix, a head and old names of norms to its bare body', () => {
    const body = bertShapes({ layers: 2, width: 8, vocabulary: 30 });
    const old = replaced(replaced(body, /Norm\.weight$/, 'Norm.gamma'), /Norm\.bias$/, 'Norm.beta');
    const tasks = [header('cola', { ...behind('bert.', body), ...classifier(2, 8) })];
    const plan = planGroup({ base: header('bert', old), tasks });
    expect(plan.layout.tensors.map(({ name }) => name)).toEqual(Object.keys(old).sort());
    expect(plan.storedNames[1]!.get('embeddings.LayerNorm.gamma')).toBe(
      'bert.embeddings.LayerNorm.weight',
    );
    expect(plan.own).toEqual([['classifier.weight', 'classifier.bias']]);
  });

  it('matches GPT-2 with its prefix, and the reverse', () => {
    const [bare, whole] = [gpt2Shapes(), behind('transformer.', gpt2Shapes())];
    const plan = planGroup({ base: header('gpt2', bare), tasks: [header('task', whole)] });
    expectFits(plan, whole, (name) => name.slice('transformer.'.length));
    const reverse = planGroup({ base: header('gpt2', whole), tasks: [header('task', bare)] });
    expectFits(reverse, bare, (name) => `transformer.${name}`);
  });

  it('lets a head keep its name where the body has another', () => {
    const body = bertShapes({ layers: 1, width: 8, vocabulary: 30 });
    const base = header('bert', { ...behind('bert.', body), ...maskedWordHead(30, 8) });
    const task = header('task', { ...body, ...maskedWordHead(30, 8) });
    const plan = planGroup({ base, tasks: [task] });
    expect(plan.own).toEqual([[]]);
    expect(plan.storedNames[1]!.has('cls.predictions.bias')).toBe(false);
    expect(plan.storedNames[1]!.get('bert.pooler.dense.bias')).toBe('pooler.dense.bias');
  });

  it('prefers names as they are to any other reading', () => {
    const layer = clipLayers(2, 8);
    const base = header('base', { ...behind('model.', layer), ...behind('model_ema.', layer) });
    const plan = planGroup({ base, tasks: [header('task', behind('model.', layer))] });
    expect(plan.storedNames[1]!.size).toBe(0);
    expect(plan.untouched.every((name) => name.startsWith('model_ema.'))).toBe(true);
  });

  it('believes most names, also where another part of the base would fit all', () => {
    const base = header('base', {
      ...behind('a.', clipLayers(2, 8)),
      ...behind('b.', clipLayers(3, 8)),
    });
    const plan = planGroup({ base, tasks: [header('task', behind('a.', clipLayers(3, 8)))] });
    expect(plan.storedNames[1]!.size).toBe(0);
    expect(plan.own[0]).toHaveLength(16);
    expect(plan.own[0]![0]).toMatch(/^a\.encoder\.layers\.2\./);
  });

  it('lays no layer over another', () => {
    const base = header('base', behind('model.', clipLayers(3, 8)));
    const second = Object.entries(clipLayers(3, 8)).filter(([name]) => name.includes('.1.'));
    const stored = behind('model.', Object.fromEntries(second));
    const task = header('task', replaced(stored, /layers\.1\./, 'layers.7.'));
    expect(() => planGroup({ base, tasks: [task] })).toThrow(/task shares no tensor/);
  });

  it('is not misled by unicode, dots and names special in JavaScript', () => {
    const shapes = {
      'модель.层.0.вес': [4, 2],
      '__proto__.a': [3],
      'a..b': [5],
      '.': [2],
      '': [1],
      '\ud83d.x': [2],
    };
    const tensors = Object.entries(shapes).map(([name, shape]) => [`モ.${name}`, shape] as const);
    const stored = Object.fromEntries(tensors);
    const plan = planGroup({ base: header('base', shapes), tasks: [header('task', stored)] });
    expectFits(plan, stored, (name) => name.slice(2));
  });

  it('undoes any prefix that was put before all names', () => {
    const part = fc.stringMatching(/^[a-z_]{1,6}$/);
    fc.assert(
      fc.property(fc.array(part, { maxLength: 4 }), fc.boolean(), (parts, added) => {
        const prefix = parts.map((one) => `${one}.`).join('');
        const body = clipVision({ layers: 2, width: 8, patch: 2, positions: 5 });
        const [base, task] = added ? [body, behind(prefix, body)] : [behind(prefix, body), body];
        const plan = planGroup({ base: header('base', base), tasks: [header('task', task)] });
        expect(plan.layout.tensors).toHaveLength(Object.keys(body).length);
        expectFits(plan, task, (name) => (added ? name.slice(prefix.length) : prefix + name));
      }),
      { numRuns: 50 },
    );
  });

  it('plans a hundred thousand tensors behind a prefix', () => {
    const shapes: Record<string, readonly number[]> = {};
    for (let i = 0; i < 50_000; i++) {
      shapes[`layers.${i % 500}.experts.${Math.floor(i / 500)}.w.weight`] = [2, 2];
      shapes[`layers.${i % 500}.experts.${Math.floor(i / 500)}.w.bias`] = [2];
    }
    const base = header('base', behind('model.', shapes));
    const plan = planGroup({ base, tasks: [header('task', shapes)] });
    expect(plan.layout.tensors).toHaveLength(100_000);
    expect(plan.storedNames[1]!.size).toBe(100_000);
  });
});

describe('inBaseNames', () => {
  it('gives the checkpoint the names of the base, and all that is merged', () => {
    const task = header('dtd', { ...behind('module.', vision), extra: [1] });
    const plan = planGroup({ base: clip, tasks: [task] });
    const view = inBaseNames(task, plan.storedNames[1]!);
    for (const { name, shape } of plan.layout.tensors) {
      expect(view.tensors.get(name)?.shape).toEqual(shape);
    }
    expect(view.name).toBe('dtd');
    expect(view.tensors.get('extra')).toBe(task.tensors.get('extra'));
    expect(view.tensors.size).toBe(task.tensors.size);
  });

  it('gives a name to the tensor that is merged under it, where two claim it', () => {
    const checkpoint = {
      tensors: new Map([
        ['a', 1],
        ['x.a', 2],
        ['b', 3],
      ]),
    };
    const view = inBaseNames(checkpoint, new Map([['a', 'x.a']]));
    expect([...view.tensors]).toEqual([
      ['a', 2],
      ['b', 3],
    ]);
    expect(inBaseNames(checkpoint, new Map())).toBe(checkpoint);
  });
});
