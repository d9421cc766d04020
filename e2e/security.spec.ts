import { createServer, type Server } from 'node:http';
import { type AddressInfo } from 'node:net';
import { expect, test } from './fixtures';

test('the worker, too, may reach no origin but its own and the Hub, and evaluate no text', async ({
  peru,
  page,
  context,
}) => {
  const stranger = await openToEveryone();
  const { port } = stranger.address() as AddressInfo;
  const [ownMachine, otherOrigin] = ['localhost', 'stranger.localhost'].map(
    (host) => `http://${host}:${port}/`,
  ) as [string, string];
  try {
    // A page without a policy is answered by both: what stands in the way is ours.
    const bystander = await context.newPage();
    await bystander.goto(ownMachine);
    const reached = (url: string): Promise<boolean> => fetch(url).then(({ ok }) => ok);
    expect(await bystander.evaluate(reached, otherOrigin)).toBe(true);
    await bystander.close();

    await peru.open('?demo=fft');
    await expect(peru.status).toHaveText(/scoring/i);
    const worker = page.workers().find((one) => one.url().startsWith('blob:'));
    expect(worker, 'the worker runs from a blob, so it inherits the policy').toBeDefined();
    const answers = await worker!.evaluate(
      async ([mirror, other]) => {
        const attempt = (work: () => unknown): Promise<string> =>
          Promise.resolve()
            .then(work)
            .then(
              () => 'allowed',
              () => 'refused',
            );
        return {
          otherOrigin: await attempt(() => fetch(other)),
          // A mirror of the Hub on the visitor's own machine.
          ownMachine: await attempt(() => fetch(mirror)),
          ownOrigin: await attempt(() => fetch(new URL('/', location.origin))),
          // Text as code is what the policy must refuse.
          evaluation: await attempt(() => (0, eval)('1 + 1')),
        };
      },
      [ownMachine, otherOrigin] as const,
    );
    expect(answers).toEqual({
      otherOrigin: 'refused',
      ownMachine: 'allowed',
      ownOrigin: 'allowed',
      evaluation: 'refused',
    });
  } finally {
    stranger.close();
  }
});

test('hands out the policy with the page', async ({ page }) => {
  await page.goto('./');
  const policy = page.locator('meta[http-equiv="Content-Security-Policy"]');
  await expect(policy).toHaveAttribute('content', /default-src 'none'/);
  // Where the Hub may have large files sent.
  await expect(policy).toHaveAttribute(
    'content',
    /connect-src [^;]* https:\/\/hf-hub-lfs-us-east-1\.s3-accelerate\.amazonaws\.com /,
  );
});

/** Another origin that would answer anybody: only the page's policy stands before it. */
function openToEveryone(): Promise<Server> {
  const server = createServer((_, response) => {
    response.writeHead(200, {
      'Access-Control-Allow-Origin': '*',
      'Cross-Origin-Resource-Policy': 'cross-origin',
    });
    response.end('hello');
  });
  return new Promise((resolve) => {
    server.listen(0, () => {
      resolve(server);
    });
  });
}
