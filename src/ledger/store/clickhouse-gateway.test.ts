import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { text as textOf } from 'node:stream/consumers';
import { isDeepStrictEqual } from 'node:util';
import { startGateway, until, type Gateway } from '#world';
import { startClickHouseFront, type ClickHouseFront } from './clickhouse-front.fixture.ts';
import { tempDir } from './sample.fixture.ts';

const WAIT_MS = 90_000;
const LOGIN = { user: 'ledger', password: 'a-secret-of-the-store' };

describe('a gateway with its store on a ClickHouse server', () => {
  let dir: Awaited<ReturnType<typeof tempDir>>;
  let front: ClickHouseFront;
  let gateway: Gateway;
  let port: number;

  before(async () => {
    dir = await tempDir();
    // The server is not there when the gateway starts.
    front = await startClickHouseFront(join(dir.path, 'engine'), LOGIN);
    port = Number(new URL(front.url).port);
    await front.close();
    gateway = await startGateway({
      env: settings(),
    });
  });
  after(async () => {
    await gateway.close();
    await front.close();
    await dir[Symbol.asyncDispose]();
  });

  const settings = (): Readonly<Record<string, string>> => ({
    CLICKHOUSE_URL: `http://127.0.0.1:${port}`,
    CLICKHOUSE_USER: LOGIN.user,
    CLICKHOUSE_PASSWORD: LOGIN.password,
  });
  const call = async (feature: string): Promise<void> => {
    const answer = await fetch(`${gateway.url}/v1/chat/completions`, {
      method: 'POST',
      headers: { authorization: `Bearer ${gateway.adminKey}`, 'content-type': 'application/json' },
      body: JSON.stringify({
        model: 'sandbox-mini',
        messages: [{ role: 'user', content: 'hello' }],
        tags: { feature },
      }),
    });
    assert.equal(answer.status, 200, await answer.text());
  };
  const report = async (): Promise<{ status: number; body: unknown }> => {
    const answer = await fetch(`${gateway.url}/v1/analytics/costs?group_by=tags.feature`, {
      headers: { authorization: `Bearer ${gateway.adminKey}` },
    });
    return { status: answer.status, body: await answer.json() };
  };
  const untilCounted = async (wanted: Readonly<Record<string, number>>): Promise<void> => {
    await until(`the report to have ${JSON.stringify(wanted)}`, WAIT_MS, async () => {
      const { status, body } = await report();
      if (status !== 200) return undefined;
      const { data } = body as { data: { tag_value: string | null; total_events: number }[] };
      const seen = data.filter((row) => row.tag_value !== null).map((row) => [row.tag_value, row.total_events]);
      return isDeepStrictEqual(Object.fromEntries(seen), wanted) ? true : undefined;
    });
  };

  test('calls are served while the server is not there, and reports say what is the matter', async () => {
    await call('early');
    const { status, body } = await report();
    assert.equal(status, 503);
    assert.match(JSON.stringify(body), /The ClickHouse server at 127\.0\.0\.1:\d+ cannot be used \(ECONNREFUSED\)/);
  });

  test('once it is there, everything arrives', async () => {
    front = await startClickHouseFront(join(dir.path, 'engine'), { ...LOGIN, port });
    await call('late');
    await untilCounted({ early: 1, late: 1 });
    assert.equal(existsSync(join(gateway.dataDir, 'store', 'chdb')), false);
  });

  test('an answer that is lost and a kill -9 leave every call counted once', async () => {
    front.mode = 'mute';
    const cut = front.nextCut();
    await call('lost');
    await cut;
    await gateway.kill();
    front.mode = 'up';
    await gateway.restart();
    await call('after');
    await untilCounted({ after: 1, early: 1, late: 1, lost: 1 });
    assert.deepEqual(await front.rows('SELECT count() AS n, uniqExact(entry_id) AS calls FROM entries', 'apportion'), [
      { n: 4, calls: 4 },
    ]);
    assert.ok(!gateway.output().includes(LOGIN.password));
  });

  test('the doctor compares the server with the journal, and says so when it cannot', async () => {
    await gateway.stop();
    const sound = await doctor();
    assert.deepEqual(
      { code: sound.code, findings: sound.found.findings, skipped: sound.found.skipped },
      {
        code: 0,
        findings: [],
        skipped: [],
      },
    );
    const remove = "ALTER TABLE entries DELETE WHERE tags.feature.:String = 'lost' SETTINGS mutations_sync=2";
    await front.rows(remove, 'apportion');
    const lacking = await doctor();
    assert.equal(lacking.code, 1);
    assert.ok(lacking.found.findings.some(({ rule }) => rule === 'store.shipping'));
    front.mode = 'down';
    const deaf = await doctor();
    assert.deepEqual(
      [deaf.code, deaf.found.skipped.map(({ what }) => what)],
      [2, ['the store on the ClickHouse server']],
    );
    front.mode = 'up';
  });

  type Found = { readonly findings: readonly { rule: string }[]; readonly skipped: readonly { what: string }[] };

  const doctor = async (): Promise<{ code: number | null; found: Found }> => {
    const args = ['src/cli/main.ts', 'doctor', '--json', '--data-dir', gateway.dataDir];
    const child = spawn(process.execPath, args, {
      env: { ...process.env, ...settings() },
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    const [text, [code]] = await Promise.all([textOf(child.stdout), once(child, 'exit')]);
    return { code, found: JSON.parse(text) as Found };
  };
});
