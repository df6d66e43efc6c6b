import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createLog } from './index.ts';

function linesOf(write: (log: ReturnType<typeof createLog>) => void, level = 'info'): Record<string, unknown>[] {
  const lines: Record<string, unknown>[] = [];
  write(createLog({ level, part: 'gateway', stream: { write: (line) => lines.push(JSON.parse(line)) } }));
  return lines;
}

test('a line has level, part, time, fields and one sentence', () => {
  const [line] = linesOf((log) => log.info({ seq: 7 }, 'the journal is open'));
  assert.match(String(line?.['time']), /^\d{4}-\d\d-\d\dT[\d:.]+Z$/);
  assert.deepEqual(
    { ...line, time: '' },
    {
      level: 'info',
      part: 'gateway',
      pid: process.pid,
      time: '',
      seq: 7,
      msg: 'the journal is open',
    },
  );
});

test('secrets are hidden as fields, inside headers, in error messages and in any text', () => {
  const secret = 'S3CRETvalue-0123456789';
  const lines = linesOf((log) => {
    log.info({ authorization: `Bearer ${secret}`, apiKey: secret, adminKey: secret }, 'fields');
    log.info({ headers: { authorization: secret, cookie: secret, 'x-api-key': secret } }, 'headers');
    log.error({ err: new Error(`refused: Authorization: Bearer ${secret}`) }, 'an error');
    log.child({ api_key: secret }).warn({ url: `/v1?key=sk-ap-${secret}` }, `key sk-ap-${secret}`);
  });
  assert.equal(lines.length, 4);
  assert.ok(!JSON.stringify(lines).includes('S3CRET'), JSON.stringify(lines, null, 1));
});

test('an error keeps its message, stack and cause', () => {
  const [line] = linesOf((log) => log.error({ err: new Error('outer', { cause: new Error('inner') }) }, 'it failed'));
  const text = JSON.stringify(line?.['err']);
  assert.ok(text.includes('outer') && text.includes('inner') && text.includes('log.test.ts'), text);
});

test('lines below the level are not written', () => {
  assert.deepEqual(
    linesOf((log) => log.info({}, 'quiet'), 'warn'),
    [],
  );
});
