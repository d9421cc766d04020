import { describe, expect, it } from 'vitest';
import { canonicalNames } from './canonical-names';

const NONE = new Map();

function compared(...names: readonly string[]): Record<string, string> {
  return Object.fromEntries([...canonicalNames(names, NONE)].map(([key, name]) => [name, key]));
}

describe('canonicalNames', () => {
  it.each([
    ['_orig_mod.model.norm.weight', 'model.norm.weight'],
    ['model.layers.0._orig_mod.mlp.up.weight', 'model.layers.0.mlp.up.weight'],
    ['module.module.fc.weight', 'fc.weight'],
    ['_fsdp_wrapped_module.a._checkpoint_wrapped_module.b.bias', 'a.b.bias'],
    ['conv.parametrizations.weight.original0', 'conv.weight_g'],
    ['x.module.conv.parametrizations.weight.original1', 'x.conv.weight_v'],
    ['lstm.parametrizations.weight_hh_l0.original0', 'lstm.weight_hh_l0_g'],
    ['d.parametrizations.weight.original', 'd.weight_orig'],
    ['d.parametrizations.weight.0._u', 'd.weight_u'],
    ['model.q_proj.base_layer.weight', 'model.q_proj.weight'],
    ['bert.LayerNorm.gamma', 'bert.LayerNorm.weight'],
    // A layer scale, not a norm's weight.
    ['blocks.0.ls1.gamma', 'blocks.0.ls1.gamma'],
    // A tensor of that name is no wrapper.
    ['model.module', 'model.module'],
  ])('reads %s as %s', (name, canonical) => {
    expect(compared(name)).toEqual({ [name]: canonical });
  });

  it('knows a norm of any name by its gamma and beta', () => {
    expect(compared('module.bn1.gamma', 'module.bn1.beta')).toEqual({
      'module.bn1.gamma': 'bn1.weight',
      'module.bn1.beta': 'bn1.bias',
    });
  });

  it('keeps names apart that would become one', () => {
    const both = compared('fc.weight', 'module.fc.weight');
    expect(both).toEqual({ 'fc.weight': 'fc.weight', 'module.fc.weight': 'module.fc.weight' });
    const wrapped = compared('module.a', '_orig_mod.a');
    expect(wrapped).toEqual({ 'module.a': 'module.a', '_orig_mod.a': '_orig_mod.a' });
  });

  it('compares a name that both files have as it is', () => {
    const names = canonicalNames(['module.fc.weight'], new Map([['module.fc.weight', 1]]));
    expect([...names.keys()]).toEqual(['module.fc.weight']);
  });
});
