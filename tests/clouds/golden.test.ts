import assert from 'node:assert/strict';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import { after, before, describe, test } from 'node:test';
import { z } from 'zod';
import { pico, startGateway, type Gateway } from '#world';
import { written } from './recording.ts';

const CASES = z
  .object({
    cases: z.array(
      z.object({
        id: z.string(),
        model: z.string(),
        usage: z.unknown().optional(),
        expected: z.looseObject({ total_usd: z.string() }),
      }),
    ),
  })
  .parse(JSON.parse(readFileSync(new URL('../golden/golden-costs.json', import.meta.url), 'utf8'))).cases;

type Golden = (typeof CASES)[number];

function golden(id: string): Golden {
  const found = CASES.find((one) => one.id === id);
  assert.ok(found !== undefined, id);
  return found;
}

/** How each cloud wraps the usage of a case in an answer, and how it is asked. */
const CLOUDS: readonly {
  readonly id: string;
  readonly path: (model: string) => string;
  readonly body: (model: string) => object;
  readonly answer: (usage: unknown) => object;
}[] = [
  {
    id: 'bed-01',
    path: (model) => `/model/${encodeURIComponent(`bedrock/${model}`)}/converse`,
    body: () => ({ messages: [{ role: 'user', content: [{ text: 'hello' }] }] }),
    answer: (usage) => ({
      output: { message: { role: 'assistant', content: [{ text: 'hello' }] } },
      stopReason: 'end_turn',
      usage,
    }),
  },
  {
    id: 'az-01',
    path: () => '/v1/chat/completions',
    body: (model) => ({ model: `azure/${model}`, messages: [{ role: 'user', content: 'hello' }] }),
    answer: (usage) => ({ id: 'a', model: golden('az-01').model, choices: [{ message: { content: 'hello' } }], usage }),
  },
  {
    id: 'coh-01',
    path: () => '/v2/rerank',
    body: (model) => ({ model: `cohere/${model}`, query: 'which', documents: ['one'] }),
    answer: (meta) => ({ id: 'a', results: [], meta }),
  },
];

describe('golden cases of the clouds, through the whole server at its own prices', () => {
  let server: Server;
  let gateway: Gateway;
  let next: object = {};

  before(async () => {
    server = createServer((request, response) => {
      request.resume().on('end', () => {
        response.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify(next));
      });
    });
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    const address = server.address();
    const origin = `http://127.0.0.1:${typeof address === 'object' && address !== null ? address.port : 0}`;
    const keyed = { base_url: origin, api_key_env: 'CLOUD_KEY' };
    gateway = await startGateway({
      env: { CLOUD_KEY: 'k' },
      config: {
        providers: {
          bedrock: { ...keyed, region: 'us-east-1' },
          // The case is one of a data zone in Europe.
          azure: { ...keyed, region: 'eu' },
          cohere: keyed,
        },
      },
    });
  });
  after(async () => {
    await gateway.close();
    const closed = once(server, 'close');
    server.close();
    server.closeAllConnections();
    await closed;
  });

  for (const { id, path, body, answer } of CLOUDS) {
    test(`${id} costs what it must`, async () => {
      const { model, usage, expected } = golden(id);
      next = answer(usage);
      const { answer: given, entries } = await written(gateway, () =>
        fetch(`${gateway.url}${path(model)}`, {
          method: 'POST',
          headers: { authorization: `Bearer ${gateway.adminKey}`, 'content-type': 'application/json' },
          body: JSON.stringify(body(model)),
        }),
      );
      assert.equal(given.status, 200);
      assert.deepEqual(
        entries.map(({ cost, state }) => [cost, state]),
        [[pico(expected.total_usd), 'exact']],
      );
      assert.equal(given.headers.get('x-apportion-cost'), expected.total_usd);
    });
  }
});
