/** What can not be merged: heads, vocabularies, parts that some lack; and what patterns leave out. */
import { describe, expect, it } from 'vitest';
import {
  behind,
  bertShapes,
  classifier,
  clipVision,
  gpt2Shapes,
  header,
  plannedTensor,
  type Shapes,
  t5Shapes,
  without,
} from './headers.fixture';
import { type GroupPlan, planGroup } from './plan-group';

const bert = bertShapes();
const body = behind('bert.', bert);
const merged = (plan: GroupPlan): string[] => plan.layout.tensors.map(({ name }) => name);

describe('own tensors', () => {
  it('keeps heads of any number of classes with their task', () => {
    const tasks = [
      header('cola', { ...body, ...classifier(2) }),
      header('mnli', { ...body, ...classifier(3) }),
      header('stsb', { ...body, ...classifier(1) }),
    ];
    const plan = planGroup({ base: header('bert', bert), tasks });
    const heads = ['classifier.weight', 'classifier.bias'];
    expect(plan.own).toEqual([heads, heads, heads]);
    expect(new Set(merged(plan))).toEqual(new Set(Object.keys(bert)));
    expect(plan.untouched).toEqual([]);
    expect(plan.details.own[1]![0]).toMatchObject({
      why: 'not-in-base',
      shape: [3, 768],
      baseShape: null,
    });
  });

  it('leaves the base’s head untouched where a task has another, for every task', () => {
    const withHead = (name: string, classes: number) =>
      header(name, { ...body, ...classifier(classes) });
    const plan = planGroup({
      base: withHead('base', 2),
      tasks: [withHead('a', 2), withHead('b', 5)],
    });
    const head = ['classifier.weight', 'classifier.bias'];
    expect(plan.own).toEqual([head, head]);
    expect(plan.untouched).toEqual(head);
    expect(plan.details.own.map(([first]) => first!.why)).toEqual([
      'other-shape-elsewhere',
      'other-shape',
    ]);
  });

  it('merges a head that all have alike', () => {
    const shapes = { ...body, ...classifier(2) };
    const plan = planGroup({ base: header('base', shapes), tasks: [header('a', shapes)] });
    expect(merged(plan)).toContain('classifier.weight');
    expect(plan.own).toEqual([[]]);
  });

  it('takes no missing tensor for an unchanged one', () => {
    const poolerless = without(bert, 'pooler.dense.weight', 'pooler.dense.bias');
    const plan = planGroup({
      base: header('bert', bert),
      tasks: [header('whole', bert), header('part', poolerless)],
    });
    expect(plan.own).toEqual([['pooler.dense.weight', 'pooler.dense.bias'], []]);
    expect(plan.untouched).toEqual(['pooler.dense.weight', 'pooler.dense.bias']);
    expect(plan.details.own[0]![0]!.why).toBe('lacking-elsewhere');
  });

  it('keeps a grown vocabulary with its task, even where it is most of the model', () => {
    const size = { layers: 2, width: 64, inner: 128, vocabulary: 32128 };
    const grown = { ...size, vocabulary: 32200 };
    const plan = planGroup({
      base: header('t5', t5Shapes(size)),
      tasks: [header('plain', t5Shapes(size)), header('grown', t5Shapes(grown))],
    });
    const tables = ['shared.weight', 'lm_head.weight'];
    expect(plan.own).toEqual([tables, tables]);
    expect(plan.untouched).toEqual(tables);
    expect(plan.details.own[1]![0]).toMatchObject({ shape: [32200, 64], baseShape: [32128, 64] });
  });

  it('gives own tensors by the names of their file', () => {
    const stored = { ...behind('transformer.', gpt2Shapes(50260)), 'score.weight': [2, 768] };
    const plan = planGroup({ base: header('gpt2', gpt2Shapes()), tasks: [header('t', stored)] });
    expect(plan.own).toEqual([['transformer.wte.weight', 'score.weight']]);
    expect(plan.untouched).toEqual(['wte.weight']);
  });

  it('does not refuse a dtype it does not merge', () => {
    const task = header('t', bert);
    const tensors = new Map(task.tensors).set('scores', plannedTensor('F64', [2]));
    const plan = planGroup({ base: header('bert', bert), tasks: [{ name: 't', tensors }] });
    expect(plan.own).toEqual([['scores']]);
  });

  it('refuses the wrong base, naming tensors of both', () => {
    const group = { base: header('gpt2', gpt2Shapes()), tasks: [header('cola', body)] };
    expect(() => planGroup(group)).toThrow(
      /cola shares no tensor with the base gpt2: it has "bert\..*the base has "wte.weight"/,
    );
    const large = bertShapes({ layers: 24, width: 1024, vocabulary: 30522 });
    const sizes = { base: header('bert-large', large), tasks: [header('cola', body)] };
    expect(() => planGroup(sizes)).toThrow(
      /cola shares .*\[30522, 768\] instead of \[30522, 1024\]/,
    );
  });

  it('gives every tensor of every file one place', () => {
    const shapes = { ...body, ...classifier(2) };
    const less = without(shapes, 'bert.pooler.dense.bias');
    const checkpoints = [header('base', body), header('a', shapes), header('b', less)];
    const plan = planGroup({ base: checkpoints[0]!, tasks: checkpoints.slice(1) });
    checkpoints.slice(1).forEach(({ tensors }, task) => {
      const read = merged(plan).map((name) => plan.storedNames[task + 1]!.get(name) ?? name);
      expect([...read, ...plan.own[task]!].sort()).toEqual([...tensors.keys()].sort());
    });
    expect([...merged(plan), ...plan.untouched].sort()).toEqual(Object.keys(body).sort());
  });
});

describe('patterns', () => {
  const shapes = behind('vision_model.', clipVision());
  const base = header('clip', shapes);
  const tasks = [header('a', shapes), header('b', shapes)];
  const plan = (include: string[], exclude: string[]): GroupPlan =>
    planGroup({ base, tasks, patterns: { include, exclude } });

  it('leaves out what is excluded, for every task', () => {
    const { untouched, own, details, layout } = plan([], ['*embedding*', '*.bias']);
    expect(untouched.every((name) => /embedding|\.bias$/.test(name))).toBe(true);
    expect(untouched.length + layout.tensors.length).toBe(199);
    expect(own).toEqual([[], []]);
    expect(details.excluded).toEqual(untouched);
  });

  it('merges only what is included, and excludes of that', () => {
    const names = merged(plan(['*.layers.?.mlp.*'], ['*.bias']));
    expect(names).toHaveLength(20);
    expect(names.every((name) => /layers\.\d\.mlp\.fc[12]\.weight$/.test(name))).toBe(true);
  });

  it('leaves out what would have been a task’s own', () => {
    const other: Shapes = {
      ...shapes,
      'vision_model.embeddings.position_embedding.weight': [197, 768],
    };
    const group = { base, tasks: [header('a', other)] };
    expect(planGroup(group).own[0]).toHaveLength(1);
    const patterns = { include: [], exclude: ['*position*'] };
    expect(planGroup({ ...group, patterns }).own[0]).toHaveLength(0);
  });

  it('names the patterns when nothing is left', () => {
    expect(() => plan(['nothing'], ['*q_proj*'])).toThrow(
      /leave nothing to merge: included are "nothing", excluded are "\*q_proj\*"/,
    );
  });

  it('tells which patterns match nothing', () => {
    expect(plan([], ['', '*fc1*', 'fc1']).details.unusedPatterns).toEqual(['fc1']);
  });
});
