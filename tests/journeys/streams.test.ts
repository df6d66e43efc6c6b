import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import OpenAI from 'openai';
import { picoText, startGateway, startUpstream, type Gateway, type Upstream } from '#world';

describe('a stream through the gateway', () => {
  let upstream: Upstream;
  let gateway: Gateway;

  before(async () => {
    upstream = await startUpstream();
    gateway = await startGateway({ upstream });
  });
  after(async () => {
    await gateway.close();
    await upstream.close();
  });

  const read = async (server: { url: string; key: string }, text: string, options?: object): Promise<string[]> => {
    const answer = await fetch(`${server.url}/chat/completions`, {
      method: 'POST',
      headers: { authorization: `Bearer ${server.key}` },
      body: JSON.stringify({
        model: 'gpt-4o-mini',
        messages: [{ role: 'user', content: text }],
        stream: true,
        ...(options === undefined ? {} : { stream_options: options }),
      }),
    });
    assert.equal(answer.headers.get('content-type'), 'text/event-stream; charset=utf-8');
    return (await answer.text()).split(/\r?\n\r?\n/).filter((event) => event !== '');
  };
  const through = () => ({ url: `${gateway.url}/v1`, key: gateway.adminKey });
  const direct = () => ({ url: upstream.baseUrl, key: upstream.apiKey });
  /** Ids and times differ from one answer to the next; every other byte must not. */
  const timeless = (events: readonly string[]) =>
    events.map((event) =>
      event.replace(/"id":"chatcmpl-[0-9a-f]+"/, '"id":"…"').replace(/"created":\d+/, '"created":0'),
    );
  const billedCost = async (event: string) => {
    const id = /"id":"(chatcmpl-[0-9a-f]+)"/.exec(event)?.[1];
    const entry = (await upstream.bill()).entries.find((line) => line.id === id);
    return picoText(entry?.cost ?? -1n).replace(/0+$/, '');
  };

  for (const framing of ['', 'framing=crlf', 'framing=odd_bytes', 'framing=coalesced']) {
    const how = framing === '' ? 'as OpenAI sends it' : framing;
    test(`without asking for usage it is byte for byte what the upstream sends to that request (${how})`, async () => {
      const text = `seed=21 ${framing}`;
      const events = await read(through(), text);
      assert.match(events.at(-2) ?? '', /^: apportion-cost \d+(\.\d+)? exact$/);
      assert.equal(events.at(-2)?.split(' ')[2], await billedCost(events[0] ?? ''));
      assert.equal(events.at(-1), 'data: [DONE]');
      const shown = events.toSpliced(-2, 1);
      assert.ok(shown.every((event) => !event.includes('"usage"')));
      assert.deepEqual(timeless(shown), timeless(await read(direct(), text)));
    });

    test(`asking for usage keeps it, with the cost beside the tokens (${how})`, async () => {
      const text = `seed=22 ${framing}`;
      const events = await read(through(), text, { include_usage: true });
      const usageEvent = events.at(-3) ?? '';
      const { choices, usage }: { choices: unknown[]; usage: { cost: number; total_tokens: number } } = JSON.parse(
        usageEvent.slice('data: '.length),
      );
      assert.deepEqual(choices, []);
      assert.equal(usage.cost, Number(await billedCost(usageEvent)));
      assert.match(events.at(-2) ?? '', /^: apportion-cost /);
      const shown = events.toSpliced(-2, 1).map((event) => event.replace(/,"cost":[\d.e-]+(?=\})/, ''));
      assert.deepEqual(timeless(shown), timeless(await read(direct(), text, { include_usage: true })));
    });
  }

  test('the official client reads the same answer through the gateway as without it', async () => {
    const parsed = async (server: { url: string; key: string }) => {
      const client = new OpenAI({ apiKey: server.key, baseURL: server.url, maxRetries: 0 });
      const {
        id: _id,
        created: _created,
        ...completion
      } = await client.chat.completions
        .stream({
          model: 'o3',
          messages: [{ role: 'user', content: 'seed=23' }],
          stream_options: { include_usage: true },
        })
        .finalChatCompletion();
      return JSON.parse(JSON.stringify(completion, (name, value: unknown) => (name === 'cost' ? undefined : value)));
    };
    assert.deepEqual(await parsed(through()), await parsed(direct()));
  });

  test('an answer that is no stream is byte for byte the upstream’s, with cost and call id in its headers', async () => {
    const ask = async (server: { url: string; key: string }) =>
      fetch(`${server.url}/chat/completions`, {
        method: 'POST',
        headers: { authorization: `Bearer ${server.key}` },
        body: JSON.stringify({ model: 'gpt-4o', messages: [{ role: 'user', content: 'seed=24' }] }),
      });
    const answer = await ask(through());
    const text = await answer.text();
    assert.deepEqual(timeless([text]), timeless([await (await ask(direct())).text()]));
    assert.match(answer.headers.get('x-apportion-call-id') ?? '', /^call_[0-9a-f]{32}$/);
    assert.equal(answer.headers.get('x-apportion-cost-state'), 'exact');
    assert.equal(answer.headers.get('x-apportion-cost'), await billedCost(text));
    assert.equal(answer.headers.get('x-litellm-response-cost'), await billedCost(text));
  });

  test('a finish chunk that carries the usage itself is metered exactly', async () => {
    const events = await read(through(), 'seed=25 usage=on_finish_chunk');
    assert.equal(events.at(-2), `: apportion-cost ${await billedCost(events[0] ?? '')} exact`);
  });
});
