/**
 * The site with the demos' first rows, for a browser whose requests nobody else can answer: what is
 * not shortened comes from the site itself, headers and all.
 */
import { createServer } from 'node:http';
import { type AddressInfo } from 'node:net';
import { shortAnswer, type ZooExtent } from '../short-zoo';

export interface ShortSite {
  readonly address: string;
  close(): Promise<void>;
}

/** Headers that tell of the connection to the site, not of what it sent. */
const OF_THE_CONNECTION =
  /^(?:connection|keep-alive|transfer-encoding|content-(?:encoding|length))$/;

export async function startShortSite(site: string, extent: ZooExtent): Promise<ShortSite> {
  const server = createServer((request, response) => {
    const answer = async (): Promise<void> => {
      const url = new URL(request.url!, site);
      const short = await shortAnswer(url.pathname, extent);
      if (short !== null) {
        response.writeHead(200, { 'content-type': short.contentType }).end(short.body);
        return;
      }
      const { range } = request.headers;
      const found = await fetch(url, range === undefined ? {} : { headers: { range } });
      const headers = [...found.headers].filter(([name]) => !OF_THE_CONNECTION.test(name));
      const body = Buffer.from(await found.arrayBuffer());
      response.writeHead(found.status, Object.fromEntries(headers)).end(body);
    };
    answer().catch((error: unknown) => response.destroy(error as Error));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  return {
    address: `http://127.0.0.1:${port}/`,
    close: () =>
      new Promise((resolve) => {
        server.close(() => {
          resolve();
        });
        server.closeAllConnections();
      }),
  };
}
