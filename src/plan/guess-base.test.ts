import { describe, expect, it } from 'vitest';
import { type PlannedCheckpoint } from './checkpoint-facts';
import { guessBase } from './guess-base';
import {
  behind,
  bertShapes,
  classifier,
  clipLayers,
  clipShapes,
  clipVision,
  header,
  maskedWordHead,
  replaced,
  type Shapes,
  t5Shapes,
} from './headers.fixture';

const small = { layers: 2, width: 8, vocabulary: 30 };
const bert = bertShapes(small);
const vision = clipVision({ layers: 2, width: 8, patch: 4, positions: 5 });
const clip = clipShapes(vision, behind('', clipLayers(2, 6)));
const visionOnly = (name: string): PlannedCheckpoint =>
  header(name, behind('vision_model.', vision));
const headed = (name: string, classes: number): PlannedCheckpoint =>
  header(name, { ...behind('bert.', bert), ...classifier(classes, 8) });

describe('guessBase', () => {
  it('takes the one checkpoint that holds the layers of all others', () => {
    const group = [visionOnly('mnist'), header('clip', clip), visionOnly('dtd')];
    expect(guessBase(group)).toEqual({ kind: 'base', index: 1 });
  });

  it('asks where names say another than the layers do', () => {
    const named = [visionOnly('base'), header('clip', clip), visionOnly('dtd')];
    expect(guessBase(named)).toEqual({ kind: 'choose-base', candidates: [0, 1, 2] });
    const told = [visionOnly('vit'), header('clip', clip), visionOnly('dtd')];
    const stated = guessBase(told, [[], ['vit'], ['vit']]);
    expect(stated).toEqual({ kind: 'choose-base', candidates: [0, 1, 2] });
  });

  it('compares across prefixes', () => {
    const bare = [header('mnist', vision), header('clip', clip), header('dtd', vision)];
    expect(guessBase(bare)).toEqual({ kind: 'base', index: 1 });
    const wrapped = header('clip', behind('module.', clip));
    expect(guessBase([visionOnly('a'), wrapped])).toEqual({ kind: 'base', index: 1 });
  });

  it.each([
    ['a bare body', bert],
    ['a body with its own head', { ...behind('bert.', bert), ...maskedWordHead(30, 8) }],
  ])('takes neither a head nor the lack of one for a reason: %s', (_, shapes) => {
    const group = (name: string) => [headed('cola', 2), headed('mnli', 3), header(name, shapes)];
    expect(guessBase(group('bert'))).toEqual({ kind: 'choose-base', candidates: [0, 1, 2] });
    expect(guessBase(group('bert-base'))).toEqual({ kind: 'base', index: 2 });
  });

  it.each<[string, Shapes]>([
    ['rotary frequencies', { 'rotary_emb.inv_freq': [4] }],
    ['masks', { 'h.0.attn.bias': [1, 1, 8, 8] }],
    ['scalars', { 'h.0.attn.masked_bias': [], 'h.0.step': [] }],
    ['vectors of an unknown kind', { 'h.0.scales': [8] }],
    ['of a value head', { 'v_head.summary.weight': [1, 8] }],
    ['of a head of several layers', { 'regression_head.0.weight': [8, 8] }],
    ['heads that guess tokens ahead', { 'medusa_head.0.0.linear.weight': [8, 8] }],
    ['of a projection', { 'linear.weight': [4, 8] }],
    ['scales', { 'vision_model.encoder.layers.0.mlp.fc1.weight_scale_inv': [1, 1] }],
  ])('does not take a fine-tune for the base because it has more %s', (_, more) => {
    const tune = header('tune', { ...behind('vision_model.', vision), ...more });
    expect(guessBase([visionOnly('base'), tune])).toEqual({ kind: 'base', index: 0 });
    expect(guessBase([visionOnly('one'), tune]).kind).toBe('choose-base');
  });

  it('goes by what the checkpoints say they were trained from', () => {
    const group = ['one', 'two', 'three'].map((name) => visionOnly(name));
    expect(guessBase(group, [[], ['one'], ['/home/me/one/']])).toEqual({ kind: 'base', index: 0 });
    // In steps: three from two, two from one.
    expect(guessBase(group, [['elsewhere'], ['one'], ['two']])).toEqual({ kind: 'base', index: 0 });
    expect(guessBase(group, [[], ['one'], ['two', 'one']])).toEqual({ kind: 'base', index: 0 });
    expect(guessBase(group, [['one'], [], []]).kind).toBe('choose-base');
    const repos = ['me/clip', 'you/clip'].map((name) => visionOnly(name));
    expect(guessBase(repos, [[], ['me/clip']])).toEqual({ kind: 'base', index: 0 });
    expect(guessBase(repos, [[], ['/models/clip']]).kind).toBe('choose-base');
  });

  it('asks where they name two, or each other', () => {
    const group = ['one', 'two', 'three', 'four'].map((name) => visionOnly(name));
    expect(guessBase(group, [[], [], ['one'], ['two']]).kind).toBe('choose-base');
    expect(guessBase(group, [['two'], ['one'], [], []]).kind).toBe('choose-base');
  });

  it('does not take copies of embeddings for more of a model', () => {
    const size = { layers: 1, width: 4, inner: 8, vocabulary: 9 };
    const plain = t5Shapes(size);
    const group = [
      header('t5-base', plain),
      header('rte', t5Shapes(size, ['shared', 'encoder', 'decoder', 'head'])),
      header('qqp', plain),
    ];
    expect(guessBase(group)).toEqual({ kind: 'base', index: 0 });
  });

  it('asks of two where one has a head: either may be the base', () => {
    const group = [headed('a', 2), header('b', behind('bert.', bert))];
    expect(guessBase(group)).toEqual({ kind: 'choose-base', candidates: [0, 1] });
  });

  it('goes by the name where all hold the same', () => {
    const named = (base: string) =>
      guessBase(['mnist', base, 'baseball'].map((name) => visionOnly(name)));
    expect(named('some/base')).toEqual({ kind: 'base', index: 1 });
    expect(named('my_pretrained')).toEqual({ kind: 'base', index: 1 });
    expect(named('pre-trained')).toEqual({ kind: 'base', index: 1 });
  });

  it.each([
    ['bert-base-uncased', true],
    ['vit-base-patch16-224-in21k', true],
    ['llama-7b-base-hf', true],
    ['deberta-v3-base-mnli', false],
    ['base_lr1e-5', false],
    ['database', false],
  ])('tells a base from a size in the name of a fine-tune: %s', (name, isBase) => {
    const group = ['mnist', name, 'dtd'].map((one) => visionOnly(one));
    expect(guessBase(group).kind).toBe(isBase ? 'base' : 'choose-base');
  });

  it('asks when names do not tell, or tell twice', () => {
    const group = ['mnist', 'dtd'].map((name) => visionOnly(name));
    expect(guessBase(group)).toEqual({ kind: 'choose-base', candidates: [0, 1] });
    const twice = ['clip-base', 'clip-base-dtd'].map((name) => visionOnly(name));
    expect(guessBase(twice).kind).toBe('choose-base');
  });

  it('asks among all when none holds the bodies of all', () => {
    const group = [header('a', { x: [1] }), header('b', { y: [1] })];
    expect(guessBase(group)).toEqual({ kind: 'choose-base', candidates: [0, 1] });
  });

  it('does not fail where a checkpoint fits two parts of another', () => {
    const twin = { ...behind('a.', clipLayers(1, 4)), ...behind('b.', clipLayers(1, 4)) };
    const group = [header('twin', twin), header('one', clipLayers(1, 4))];
    expect(guessBase(group).kind).toBe('choose-base');
  });

  it('refuses a lone checkpoint', () => {
    expect(() => guessBase([header('clip', clip)])).toThrow(/clip stands alone/);
  });

  it('knows old names of norms', () => {
    const old = header(
      'bert-base',
      replaced(replaced(bert, /Norm\.weight$/, 'Norm.gamma'), /Norm\.bias$/, 'Norm.beta'),
    );
    expect(guessBase([headed('cola', 2), headed('mnli', 3), old])).toEqual({
      kind: 'base',
      index: 2,
    });
  });
});
