import { describe, expect, it } from 'vitest';
import { formatRepoRef, parseRepoRef } from './repo-ref';

const ref = (repo: string, revision: string | null = null, path = '') => ({ repo, revision, path });

describe('parseRepoRef', () => {
  it.each([
    ['openai/clip-vit-base-patch32', ref('openai/clip-vit-base-patch32')],
    ['  gpt2 ', ref('gpt2')],
    ['me/model@v1.0', ref('me/model', 'v1.0')],
    ['me/model@refs/pr/21', ref('me/model', 'refs/pr/21')],
    ['me/model@feature/faster', ref('me/model', 'feature/faster')],
    ['me/model/tasks/mnli@main', ref('me/model', 'main', 'tasks/mnli')],
    ['me/model/half.safetensors', ref('me/model', null, 'half.safetensors')],
    ['https://huggingface.co/me/model', ref('me/model')],
    ['huggingface.co/me/model/', ref('me/model')],
    ['https://hf.co/me/model?library=transformers#x', ref('me/model')],
    ['https://huggingface.co/gpt2', ref('gpt2')],
    ['https://huggingface.co/me/model/tree/v2', ref('me/model', 'v2')],
    ['https://huggingface.co/me/model/tree/v2/a/b', ref('me/model', 'v2', 'a/b')],
    ['https://huggingface.co/me/model/tree/refs%2Fpr%2F3', ref('me/model', 'refs/pr/3')],
    ['https://huggingface.co/me/model/tree/refs/pr/3/a', ref('me/model', 'refs/pr/3', 'a')],
    ['https://huggingface.co/me/model/discussions/7', ref('me/model', 'refs/pr/7')],
    ['https://huggingface.co/me/model/discussions', ref('me/model')],
    ['https://huggingface.co/me/model/blob/main/config.json', ref('me/model', 'main')],
    ['https://huggingface.co/me/model/blob/main/a/config.json', ref('me/model', 'main', 'a')],
    [
      'https://huggingface.co/me/model/resolve/main/x.safetensors?download=true',
      ref('me/model', 'main', 'x.safetensors'),
    ],
    ['https://huggingface.co/me/model/commit/0123abc', ref('me/model', '0123abc')],
  ])('reads %s', (text, expected) => {
    expect(parseRepoRef(text)).toEqual(expected);
    expect(parseRepoRef(formatRepoRef(expected))).toEqual(expected);
  });

  it('reads addresses of the Hub in use only', () => {
    expect(parseRepoRef('http://127.0.0.1:99/me/model', 'http://127.0.0.1:99')).toEqual(
      ref('me/model'),
    );
    expect(() => parseRepoRef('https://evil.example/me/model')).toThrow(/not of the Hub in use/);
    expect(() => parseRepoRef('https://hf.co/me/model', 'http://127.0.0.1:99')).toThrow(/hf\.co/);
  });

  it.each([
    ['', /No repo was named/],
    ['me/', /does not name/],
    ['/me/model', /does not name/],
    ['me//model', /does not name/],
    ['me/mo del', /does not name/],
    ['../model', /does not name/],
    ['me/model/../../secret', /does not name/],
    ['me/a--b', /does not name/],
    ['me/model@', /can not be a revision/],
    ['me/model@../../x', /can not be a revision/],
    ['me/model@a b', /can not be a revision/],
    ['https://huggingface.co/', /does not name/],
    ['https://huggingface.co/%E0%A4%A', /does not name/],
    ['datasets/me/pictures', /is a data set/],
    ['https://huggingface.co/datasets/me/pictures', /is a data set/],
    ['https://huggingface.co/spaces/me/app', /is a Space/],
    [`me/${'x'.repeat(500)}`, /does not name/],
  ])('refuses "%s"', (text, message) => {
    expect(() => parseRepoRef(text)).toThrow(message);
  });
});
