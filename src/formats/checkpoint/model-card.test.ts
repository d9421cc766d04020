import { describe, expect, it } from 'vitest';
import { licenceOf, readLicence } from './model-card';

const card = (...lines: string[]) =>
  ['---', ...lines, '---', '', '# Model', 'license: no'].join('\n');

describe('licenceOf', () => {
  it.each([
    ['a scalar', card('tags:', '- clip', 'license: apache-2.0', 'x: y'), 'apache-2.0'],
    ['quotes', card("license: 'mit'"), 'mit'],
    ['a comment', card('license: mit # or so'), 'mit'],
    [
      'a block list',
      card('license:', '- mit', '  - "apache-2.0"', 'tags:', '- a'),
      'mit, apache-2.0',
    ],
    ['a flow list', card('license: [mit, "bsd"]'), 'mit, bsd'],
    ['a licence of another name', card('license: other', 'license_name: llama3'), 'llama3'],
    ['other without a name', card('license: other'), 'other'],
    ['CRLF line ends', card('license: mit').replaceAll('\n', '\r\n'), 'mit'],
  ])('reads %s', (_, text, licence) => {
    expect(licenceOf(text)).toBe(licence);
  });

  it.each([
    ['no front matter', '# Model\nlicense: mit'],
    ['front matter without end', '---\nlicense: mit\n'],
    ['no licence', card('tags: [a]')],
    ['an empty licence', card('license:', 'tags: [a]')],
    ['a nested licence', card('model:', '  license: mit')],
    ['a longer key', card('license_link: https://x')],
    ['front matter that is not first', `\n${card('license: mit')}`],
    ['nothing', ''],
  ])('gives null for %s', (_, text) => {
    expect(licenceOf(text)).toBeNull();
  });
});

describe('readLicence', () => {
  it('reads a file, and gives null where there is none', async () => {
    expect(await readLicence(new Blob([card('license: mit')]))).toBe('mit');
    expect(await readLicence(null)).toBeNull();
  });
});
