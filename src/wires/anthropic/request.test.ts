import assert from 'node:assert/strict';
import { test } from 'node:test';
import { scanJsonObject } from '#std';
import { ApportionError } from '#terms';
import { NO_TARGET, type RequestBody, type RequestEdit } from '../wire.ts';
import { readCountRequest, readMessageRequest, requestText, writeRequest } from './request.ts';

function bodyOf(text: string): RequestBody {
  const bytes = Buffer.from(text);
  const scan = scanJsonObject(bytes);
  assert.ok(scan.ok, text);
  return { bytes, members: new Map(scan.members.map((member) => [member.key, member])), form: null, target: NO_TARGET };
}

function written(text: string, changes: Partial<RequestEdit> = {}): string {
  return writeRequest(bodyOf(text), {
    model: 'claude-opus-5',
    askUsage: true,
    drop: new Set(['tags', 'entity_type', 'entity_id']),
    metadata: { action: 'keep' },
    ...changes,
  }).toString();
}

function bound(fields: object): number | null {
  return readMessageRequest(bodyOf(JSON.stringify({ model: 'm', max_tokens: 5, ...fields }))).maxInputTokens;
}

test('what need not change is forwarded byte for byte, also the space between', () => {
  const odd =
    '{ "temperature":0.10,\n "messages":[ {"role":"user","content":"\\u00e9 1.0"} ],"model": "claude-opus-5" }';
  assert.equal(written(odd), odd);
  assert.equal(written(odd.replace('claude-opus-5', 'anthropic/claude-opus-5')), odd);
});

test('our fields are left out wherever they stand', () => {
  assert.equal(
    written('{ "tags":{"a":"b"}, "model":"x", "entity_type":"customer", "messages":[], "entity_id":"acme" }'),
    '{ "model":"claude-opus-5", "messages":[] }',
  );
  assert.equal(written('{"tags":[],"entity_id":"a"}'), '{}');
  assert.equal(written('{"messages":[],"tags":[]}'), '{"messages":[]}');
});

test('metadata keeps its user_id alone', () => {
  const body = '{"model":"claude-opus-5","metadata":{"user_id": "u","team":"x"},"messages":[]}';
  const kept = '{"model":"claude-opus-5","metadata":{"user_id": "u"},"messages":[]}';
  assert.equal(written(body), kept);
  assert.equal(written(kept), kept);
  assert.equal(
    written(body, { metadata: { action: 'replace', json: '{"k":1,"user_id":"v"}' } }),
    '{"model":"claude-opus-5","metadata":{"user_id":"v"},"messages":[]}',
  );
  const none = '{"model":"claude-opus-5","messages":[]}';
  assert.equal(written(body, { metadata: { action: 'drop' } }), none);
  assert.equal(written(body, { metadata: { action: 'replace', json: '{"k":1}' } }), none);
  assert.equal(written('{"metadata":null}'), '{"metadata":null}');
});

test('a request says its model, whether it streams, and how much it may write', () => {
  const text = '{"model":"claude-opus-5","max_tokens":64,"stream":true,"messages":[{"role":"user","content":"hi"}]}';
  assert.deepEqual(readMessageRequest(bodyOf(text)), {
    model: 'claude-opus-5',
    stream: true,
    wantsUsage: true,
    maxOutputTokens: 64,
    choices: 1,
    maxInputTokens: text.length + 2_000,
  });
  const counted = readCountRequest(bodyOf('{"model":"claude-opus-5","messages":[]}'));
  assert.deepEqual([counted.stream, counted.maxInputTokens, counted.maxOutputTokens], [false, 0, 0]);
});

test('the input is not bounded when something is read elsewhere, or sampled more than once', () => {
  const user = (block: object): object => ({ messages: [{ role: 'user', content: [block] }] });
  for (const fields of [
    user({ type: 'image', source: { type: 'url', url: 'https://x' } }),
    user({ type: 'document', source: { type: 'url', url: 'https://x' } }),
    user({ type: 'document', source: { type: 'file', file_id: 'file_1' } }),
    user({ type: 'document', source: { type: 'base64', media_type: 'application/pdf', data: 'JVBERi0=' } }),
    user({ type: 'container_upload', file_id: 'file_1' }),
    { tools: [{ type: 'web_search_20250305', name: 'web_search' }] },
    { tools: [{ type: 'web_fetch_20260309', name: 'web_fetch' }] },
    { tools: [{ type: 'code_execution_20260120', name: 'code_execution' }] },
    { tools: [{ type: 'advisor_20260301', name: 'advisor', model: 'claude-opus-5' }] },
    { tools: [{ type: 'computer_toolset_20260801' }] },
    { tools: [{ type: 'mcp_toolset', mcp_server_name: 'x' }] },
    { mcp_servers: [{ type: 'url', url: 'https://x', name: 'x' }] },
    { container: 'container_1' },
    { fallbacks: [{ model: 'claude-opus-4-8' }] },
    { context_management: { edits: [{ type: 'compact_20260112' }] } },
    { thread: { type: 'continue', previous_message_id: 'msg_1' } },
  ])
    assert.equal(bound(fields), null, JSON.stringify(fields));
});

test('the input is not bounded when an escape could hide what it is', () => {
  const body = '{"model":"m","messages":[{"role":"user","content":[{"type":"image","source":{"type":"\\u0075rl"}}]}]}';
  assert.equal(readMessageRequest(bodyOf(body)).maxInputTokens, null);
});

test('the input is bounded by its bytes, by the size of images and the definitions of tools the caller runs', () => {
  const plain = bound({}) ?? 0;
  const withFields = (fields: object): number => (bound(fields) ?? 0) - plain - JSON.stringify(fields).length + 1;
  assert.equal(
    withFields({ tools: [{ name: 'fetch', input_schema: { type: 'object', properties: { url: {} } } }] }),
    0,
  );
  assert.equal(withFields({ tools: [{ type: 'bash_20250124', name: 'bash' }] }), 2_000);
  const image = { type: 'image', source: { type: 'base64', media_type: 'image/png', data: 'AA==' } };
  assert.equal(withFields({ messages: [{ role: 'user', content: [image, image] }] }), 10_000);
  assert.equal(withFields({ messages: [{ role: 'user', content: 'I say "type":"url" and "application/pdf"' }] }), 0);
  assert.equal(withFields({ mcp_servers: [], container: null }), 0);
  assert.equal(withFields({ context_management: { edits: [{ type: 'clear_thinking_20251015', keep: 'all' }] } }), 0);
});

for (const [text, param] of [
  ['{"messages":[]}', 'model'],
  ['{"model":7}', 'model'],
  ['{"model":"m","stream":"yes"}', 'stream'],
  ['{"model":"m","max_tokens":-1}', 'max_tokens'],
] as const) {
  test(`${text} is refused, naming ${param}`, () => {
    assert.throws(
      () => readMessageRequest(bodyOf(text)),
      (error: unknown) => error instanceof ApportionError && error.code === 'invalid_field' && error.param === param,
    );
  });
}

test('the text for an estimate is what people and tools wrote, not the data of an image', () => {
  const text = requestText(
    bodyOf(
      JSON.stringify({
        system: 'be kind',
        tools: [{ name: 'look', description: 'looks' }],
        messages: [
          {
            role: 'user',
            content: [
              { type: 'text', text: 'hello' },
              { type: 'image', source: { type: 'base64', media_type: 'image/png', data: 'AAAA' } },
              { type: 'document', source: { type: 'text', media_type: 'text/plain', data: 'a paper' } },
            ],
          },
        ],
      }),
    ),
  );
  assert.equal(text, 'be kind\nhello\na paper\nlook\nlooks');
});
