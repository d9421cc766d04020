import { describe, expect, it } from 'vitest';
import { licenceIds, licenceTerms } from '@/plan/licences';
import { licenceFindings } from './licences';

/** The base's licence first. */
function told(...licences: (string | null)[]) {
  return licenceFindings(
    licences.map((licence, i) => ({
      name: i === 0 ? 'base' : `t${i}`,
      config: null,
      tokenizerHash: null,
      licence,
    })),
  );
}

const levels = (...licences: (string | null)[]) => told(...licences).map(({ level }) => level);

describe('licenceFindings', () => {
  it('has nothing against one permissive licence', () => {
    expect(told('apache-2.0', 'Apache-2.0')).toMatchObject([
      { level: 'ok', title: 'All checkpoints have one licence, apache-2.0.' },
    ]);
  });

  it('names licences that differ', () => {
    expect(told('mit', 'apache-2.0', 'mit')).toMatchObject([
      {
        level: 'note',
        detail: expect.stringContaining('mit (base and t2), apache-2.0 (t1)') as string,
      },
    ]);
  });

  it.each([
    ['cc-by-nc-4.0', /limit commercial use/],
    ['cc-by-nd-4.0', /not to share changed versions/],
    ['fair-noncommercial-research-license', /limit commercial use/],
  ])('warns of %s, whatever the others have', (licence, title) => {
    for (const base of ['mit', licence]) {
      const warnings = told(base, licence).filter(({ level }) => level === 'warning');
      expect(warnings).toHaveLength(1);
      expect(warnings[0]!.title).toMatch(title);
      expect(warnings[0]!.detail).toMatch(/^.*Look at the licence/);
    }
  });

  it('warns of copyleft beside others, and notes it alone', () => {
    for (const licence of ['gpl-3.0', 'agpl-3.0', 'cc-by-sa-4.0']) {
      expect(levels(licence, licence)).toEqual(['note']);
      expect(levels('mit', licence)).toContain('warning');
    }
  });

  it('tells all terms of a licence', () => {
    const titles = told('cc-by-nc-sa-4.0', 'mit').map(({ title }) => title);
    expect(titles.filter((title) => title.includes('cc-by-nc-sa-4.0'))).toHaveLength(2);
  });

  it('points to licences with conditions, unknown ones and none', () => {
    expect(told('llama3.1', 'llama3.1')).toMatchObject([
      { level: 'note', title: expect.stringContaining('has conditions of its own') as string },
    ]);
    expect(told('gemma')).toHaveLength(1);
    expect(told('x-1', 'x-1')).toMatchObject([
      { level: 'note', title: expect.stringContaining('not known to Peru') as string },
    ]);
    expect(told('mit', null)).toMatchObject([
      { level: 'note', title: 'The model card of t1 names no licence.' },
    ]);
    expect(told(null, null)).toMatchObject([
      { level: 'note', title: 'No model card names a licence.' },
    ]);
    expect(told('mit', null, 'mit').map(({ level }) => level)).toEqual(['note']);
  });

  it('reads cards that name several', () => {
    expect(licenceIds('x'.repeat(1e5))[0]!.length).toBeLessThan(100);
    expect(licenceIds('MIT, cc-by-nc-4.0,')).toEqual(['mit', 'cc-by-nc-4.0']);
    expect(levels('mit, cc-by-nc-4.0', 'mit')).toContain('warning');
  });
});

describe('licenceTerms', () => {
  it.each(['mit', 'bsd-3-clause', 'cc0-1.0', 'cc-by-4.0', 'unlicense', 'cdla-permissive-2.0'])(
    '%s is permissive',
    (id) => {
      expect(licenceTerms(id)?.permissive).toBe(true);
    },
  );

  it.each([
    ['GPL-3.0-or-later', 'sameLicence'],
    ['lgpl-2.1', 'sameLicence'],
    ['creativeml-openrail-m', 'conditions'],
    ['llama2', 'conditions'],
    ['other', 'conditions'],
    ['qwen-research', 'conditions'],
    ['deepseek-non-commercial', 'nonCommercial'],
    ['cc-by-nc-nd-3.0', 'noDerivatives'],
  ] as const)('%s asks for %s', (id, term) => {
    expect(licenceTerms(id)?.[term]).toBe(true);
    expect(licenceTerms(id)?.permissive).toBe(false);
  });

  it.each(['', 'unknown', 'mitt', 'constructor', '__proto__'])('does not know %j', (id) => {
    expect(licenceTerms(id)).toBeNull();
  });
});
