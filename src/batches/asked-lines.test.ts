import assert from 'node:assert/strict';
import { test } from 'node:test';
import { scanJsonObject } from '#std';
import { ApportionError } from '#terms';
import { NO_TARGET, type RequestBody } from '#wires';
import { readJsonLines, readRequestList, type CleanLine } from './asked-lines.ts';

/** Takes `mine` out, and says that it was there. */
function clean(body: RequestBody): CleanLine {
  const json: Record<string, unknown> = JSON.parse(body.bytes.toString());
  const { mine, ...rest } = json;
  if (mine === 'bad') throw new ApportionError('invalid_tag', 'It is bad.', { param: 'mine' });
  if (mine === undefined) return { fields: null, body: body.bytes };
  return { fields: { mine: JSON.stringify(mine) }, body: Buffer.from(JSON.stringify(rest)) };
}

function line(id: string, body: object, url = '/v1/chat/completions'): string {
  return JSON.stringify({ custom_id: id, method: 'POST', url, body });
}

const CHAT = { model: 'm', max_tokens: 7, messages: [] };

test('each line of a file is cleaned, and everything else stays byte for byte', async () => {
  const plain = `{ "custom_id":"b", "method": "POST", "url":"/v1/chat/completions", "body": {"model":"m","n":2} }`;
  const text = `${line('a', { ...CHAT, mine: 1 })}\r\n${plain}\n\n`;
  const { bytes, lines } = await readJsonLines(Buffer.from(text), clean);
  assert.equal(bytes.toString(), `${line('a', CHAT)}\r\n${plain}\n\n`);
  assert.deepEqual(
    lines.map(({ customId, model, maxOutputTokens, choices, fields }) => [
      customId,
      model,
      maxOutputTokens,
      choices,
      fields,
    ]),
    [
      ['a', 'm', 7, 1, { mine: '1' }],
      ['b', 'm', null, 2, null],
    ],
  );
});

test('a line that cannot be read goes on as it came, and nothing bounds it', async () => {
  const text = `no json\n${line('x', { model: 'm' }, '/v1/unheard/of')}\n${line('a', CHAT)}`;
  const { bytes, lines } = await readJsonLines(Buffer.from(text), clean);
  assert.equal(bytes.toString(), text);
  assert.deepEqual(
    lines.map(({ customId, maxInputTokens }) => [customId, maxInputTokens === null]),
    [
      ['', true],
      ['', true],
      ['a', false],
    ],
  );
});

test('what is wrong in a line is told with its place', async () => {
  const twice = '{"custom_id":"a","url":"/v1/chat/completions","body":{"model":"m","model":"n"}}';
  for (const [text, param] of [
    [`${line('a', CHAT)}\n${line('b', { ...CHAT, mine: 'bad' })}`, 'line 2.body.mine'],
    [twice, 'line 1.body.model'],
  ] as const) {
    await assert.rejects(
      readJsonLines(Buffer.from(text), clean),
      (error: unknown) => error instanceof ApportionError && error.param === param,
    );
  }
});

test('requests of a list are cleaned where they stand', async () => {
  const bytes = Buffer.from(
    '{"requests": [ {"custom_id":"a\\"]","params":{"model":"m","max_tokens":3,"messages":[{"x":"}]"}],"mine":2}} , {"custom_id":"b","params":{"model":"m","max_tokens":4,"messages":[]}}]}',
  );
  const scan = scanJsonObject(bytes);
  assert.ok(scan.ok);
  const members = new Map(scan.members.map((member) => [member.key, member]));
  const { bytes: written, lines } = await readRequestList({ bytes, members, form: null, target: NO_TARGET }, clean);
  assert.equal(written.toString(), bytes.toString().replace(',"mine":2', ''));
  assert.deepEqual(
    lines.map(({ customId, maxOutputTokens }) => [customId, maxOutputTokens]),
    [
      ['a"]', 3],
      ['b', 4],
    ],
  );
});
