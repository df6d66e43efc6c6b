import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer, get } from 'node:http';
import type { AddressInfo } from 'node:net';
import { test, type TestContext } from 'node:test';
import { LIMITS } from '#terms';
import { NO_QUIRKS, openAiChat, type AnswerContext } from '#wires';
import { HeldAnswer } from './answer.ts';
import { Client } from './client.ts';

const REQUEST = {
  model: 'gpt-4o',
  stream: false,
  wantsUsage: false,
  maxOutputTokens: null,
  choices: 1,
  maxInputTokens: null,
};
const CONTEXT: AnswerContext = {
  request: REQUEST,
  quirks: NO_QUIRKS,
  headers: { 'content-type': 'application/json' },
};

async function answered(t: TestContext, use: (client: Client) => void): Promise<number> {
  const server = createServer((_request, response) => use(new Client(response, { stalledMs: 5_000 })));
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  t.after(() => server.close());
  const { port } = server.address() as AddressInfo;
  const [response] = await once(get(`http://127.0.0.1:${port}/`), 'response');
  let bytes = 0;
  for await (const chunk of response) bytes += chunk.length;
  return bytes;
}

test('an answer too large to hold passes, and its id, model, tier and usage are read all the same', async (t) => {
  const long = 'x'.repeat(LIMITS.heldAnswerBytes);
  const body = Buffer.from(
    JSON.stringify({
      id: 'chatcmpl-1',
      model: 'gpt-4o-2024-08-06',
      choices: [{ index: 0, message: { role: 'assistant', content: long }, finish_reason: 'stop' }],
      usage: { prompt_tokens: 7, completion_tokens: 9, total_tokens: 16 },
      service_tier: 'flex',
    }),
  );
  let facts;
  const bytes = await answered(t, (client) => {
    const head = { status: 200, headers: { 'content-type': 'application/json' } };
    const answer = new HeldAnswer(
      { client, head, wire: openAiChat, context: CONTEXT, shown: (whole) => whole },
      'hold',
    );
    for (let from = 0; from < body.length; from += 1_000_000) answer.data(body.subarray(from, from + 1_000_000));
    facts = answer.facts();
    answer.finish({ usd: '0', state: 'exact' }, {});
  });
  assert.equal(bytes, body.length);
  assert.partialDeepStrictEqual(facts, {
    id: 'chatcmpl-1',
    model: 'gpt-4o-2024-08-06',
    usage: { meters: { input: 7, output_text: 9 }, serviceTier: 'flex' },
    usageComplete: true,
  });
});
