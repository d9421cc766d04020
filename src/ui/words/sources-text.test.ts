import { describe, expect, it } from 'vitest';
import { adapterGroupOf, groupOf, preflightOf } from '@/store/state/scripted-worker';
import { INITIAL_SOURCES } from '@/store/state/sources';
import { sourcesText } from './sources-text';

const files = ['x/a/config.json', 'x/a/model.safetensors', 'x/b/model.safetensors'].map((path) => ({
  path,
  file: new File(['0123456789'], path),
}));

describe('what is open, in a line', () => {
  it('is what was asked for, until the headers are read', () => {
    const text = (request: (typeof INITIAL_SOURCES)['request']) =>
      sourcesText({ ...INITIAL_SOURCES, request });
    expect(text({ kind: 'files', files })).toBe('2 sources from your disk, 30 B.');
    expect(text({ kind: 'hub', repos: ['o/base'] })).toBe('1 repo from the Hub.');
  });

  it('is the group from its report on', () => {
    const group = groupOf(['a', 'b']);
    const told = 'Test group: one base and 2 fine-tunes, 12.0 kB in all.';
    expect(sourcesText({ ...INITIAL_SOURCES, preflight: preflightOf(group) })).toBe(told);
    expect(sourcesText({ ...INITIAL_SOURCES, group })).toBe(told);
    expect(sourcesText({ ...INITIAL_SOURCES, group: adapterGroupOf(['a']) })).toContain(
      'one base and 1 adapter,',
    );
  });
});
