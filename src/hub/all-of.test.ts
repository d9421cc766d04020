import { describe, expect, it } from 'vitest';
import { errorFacts, PeruError } from '@/core/errors';
import { allOf } from './all-of';
import { ConnectPolicy } from './connect-policy';
import { openHubGroup } from './hub-repo';
import { clientTo, useFixtureHub } from './hub.fixture';

const at = useFixtureHub();

const failure = async (work: Promise<unknown>) =>
  errorFacts(
    await work.then(
      () => null,
      (error: unknown) => error,
    ),
  );

describe('allOf', () => {
  it('gives what opened, in order, and the one failure as it is', async () => {
    expect(await allOf(['a', 'b'], (name) => Promise.resolve(name + name))).toEqual(['aa', 'bb']);
    const only = new PeruError('unsupported', 'Only this.', 'Do that.');
    const open = (name: string) => (name === 'b' ? Promise.reject(only) : Promise.resolve(name));
    await expect(allOf(['a', 'b', 'c'], open)).rejects.toBe(only);
  });

  it('lets faults of the program through, and the reason of an abort', async () => {
    const bug = new TypeError('A bug.');
    await expect(allOf(['a', 'b'], () => Promise.reject(bug))).rejects.toBe(bug);
    const stop = new AbortController();
    const open = () => {
      stop.abort(new Error('Cancelled.'));
      return Promise.reject(new PeruError('source', 'm', 'h'));
    };
    await expect(allOf(['a', 'b'], open, stop.signal)).rejects.toThrow('Cancelled.');
  });

  it('names every repo that failed with its reason, and says it once where it is the same', async () => {
    const repos = ['me/base', 'me/nothing', 'me/gated', 'me/task@v9', 'me/not-there'];
    const { kind, message, hint } = await failure(openHubGroup(repos, clientTo(at.hub)));
    expect(kind).toBe('source');
    expect(message).toMatch(/^3 of 5 repos could not be opened\./);
    for (const part of ['me/nothing', 'me/not-there', 'me/task has no revision "v9"']) {
      expect(message).toContain(part);
    }
    expect(hint).toContain('Check the spelling');
    expect(hint).toContain('refs/pr/N');
    const policy = { maxFailures: 1 };
    at.hub.fault({ kind: 'refuse', path: /./, times: Infinity });
    const down = await failure(openHubGroup(repos, clientTo(at.hub, { retry: policy })));
    expect(down.message).toMatch(/me\/base, me\/nothing, .* could not be fetched: the connection/);
    expect(down.message.match(/the connection/g)).toHaveLength(1);
  });

  it('keeps the choices there are', async () => {
    const choice = { id: 'a@1', name: 'a@1', replaces: 'a' };
    const errors: Record<string, PeruError> = {
      a: new PeruError('choose-repo', 'a holds two.', 'Choose.', { choices: [choice] }),
      b: new PeruError('source', 'b is not there.', 'Check.'),
    };
    const facts = await failure(allOf(['a', 'b'], (name) => Promise.reject(errors[name]!)));
    expect(facts).toMatchObject({ kind: 'choose-repo', choices: [choice] });
    expect(facts.message).toContain('b is not there.');
  });
});

describe('the page’s own policy', () => {
  const violation = (blockedURI: string, effectiveDirective = 'connect-src') =>
    Object.assign(new Event('securitypolicyviolation'), { blockedURI, effectiveDirective });

  it('is known by what it refused, until the host has answered', () => {
    const scope = new EventTarget();
    const policy = new ConnectPolicy(scope);
    const hub = new URL('https://hub.example/api/models');
    expect(policy.refuses(hub)).toBe(false);
    for (const event of [violation('inline'), violation(hub.href, 'img-src')]) {
      scope.dispatchEvent(event);
    }
    expect(policy.refuses(hub)).toBe(false);
    scope.dispatchEvent(violation('https://hub.example/other'));
    expect(policy.refuses(hub)).toBe(true);
    // Told of a redirect under the address that it began with.
    policy.noteAnswer(hub);
    expect(policy.refuses(hub)).toBe(false);
    expect(new ConnectPolicy({}).refuses(hub)).toBe(false);
  });
});
