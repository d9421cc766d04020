import { describe, expect, it } from 'vitest';
import { checkClientDocument } from './client-document';

const CLIENT = 'https://peru.example/.well-known/oauth-cimd';
const REDIRECT = 'https://peru.example/oauth-callback.html';
const SOUND = { client_id: CLIENT, redirect_uris: [REDIRECT] };
const { signal } = new AbortController();

const served = (answer: () => Response) => () => Promise.resolve(answer());

describe('the document that describes the page to the Hub', () => {
  it('is looked at where there is one', async () => {
    const client = { clientId: CLIENT, redirectUrl: REDIRECT };
    await checkClientDocument({ ...client, fetch: served(() => Response.json(SOUND)) }, signal);
    const never = () => Promise.reject(new Error('asked'));
    await checkClientDocument({ ...client, clientId: 'app-id', fetch: never }, signal);
  });

  it.each([
    ['is not there', () => new Response('', { status: 404 }), /can not be read as JSON/],
    ['is a page', () => new Response('<!doctype html>'), /can not be read as JSON/],
    [
      'is of another page',
      () => Response.json({ ...SOUND, client_id: 'https://other.example' }),
      /describes another page/,
    ],
    [
      'does not know this address',
      () => Response.json({ ...SOUND, redirect_uris: [] }),
      /does not name https:\/\/peru\.example\/oauth-callback\.html/,
    ],
  ])('ends the sign-in where it %s', async (_what, answer, message) => {
    const client = { clientId: CLIENT, redirectUrl: REDIRECT, fetch: served(answer) };
    await expect(checkClientDocument(client, signal)).rejects.toMatchObject({
      message: expect.stringMatching(message) as string,
      hint: expect.stringMatching(/access token/) as string,
    });
  });
});
