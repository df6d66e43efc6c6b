import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { test } from 'node:test';
import {
  ALL_APIS,
  ALL_PROVIDERS,
  driveLoad,
  planCalls,
  startGateway,
  startUpstreamProcess,
  type Gateway,
} from '#world';
import type { Examination } from './doctor/examine.ts';

const MAIN = fileURLToPath(new URL('./main.ts', import.meta.url));

type Run = { readonly code: number | null; readonly out: string; readonly err: string };

/** As a user calls it: its own process. Without the admin key of the server. */
function apportion(...args: readonly string[]): Run {
  const env = { PATH: process.env['PATH'], TMPDIR: process.env['TMPDIR'] };
  const { status, stdout, stderr } = spawnSync(process.execPath, [MAIN, ...args], { env, encoding: 'utf8' });
  return { code: status, out: stdout, err: stderr };
}

function doctor(gateway: Gateway, ...args: readonly string[]): Run & { readonly said: Examination } {
  const run = apportion('doctor', '--json', '--data-dir', gateway.dataDir, ...args);
  assert.notEqual(run.out, '', run.err);
  return { ...run, said: JSON.parse(run.out) };
}

function figure({ checked }: Examination, what: string, name: string): unknown {
  return checked.find((one) => one.what === what)?.figures[name];
}

test('the doctor finds nothing wrong in a running, a killed, a restarted and a stopped server', async (t) => {
  const upstream = await startUpstreamProcess();
  t.after(() => upstream.close());
  const gateway = await startGateway({ upstream, providers: ALL_PROVIDERS });
  t.after(() => gateway.close());
  const drive = (seed: number, count: number): Promise<unknown> =>
    driveLoad({
      calls: planCalls({ count, seed, apis: ALL_APIS, behaviour: { chunk_delay: 5, delay: 20 } }),
      concurrency: 16,
      target: () => Promise.resolve({ url: gateway.url, key: gateway.adminKey }),
    });
  await drive(1, 120);
  const load = drive(2, 200);
  const running = doctor(gateway);
  assert.deepEqual([running.code, running.said.findings, running.said.skipped], [0, [], []]);
  assert.match(running.said.server, /is locked by process \d+ \(gateway\)/);
  assert.ok(Number(figure(running.said, 'journal', 'entries')) >= 120);
  assert.ok(Number(figure(running.said, 'reports', 'breakdowns')) > 10);

  await gateway.kill();
  await load;
  const killed = doctor(gateway, '--deep');
  assert.equal(killed.code, 0, killed.out);

  await gateway.restart();
  await drive(3, 20);
  const deep = doctor(gateway, '--deep');
  assert.deepEqual([deep.code, deep.said.skipped.map(({ what }) => what)], [2, ['the rows of the store']]);

  await gateway.stop();
  const stopped = doctor(gateway, '--deep');
  assert.deepEqual([stopped.code, stopped.said.findings, stopped.said.skipped], [0, [], []]);
  assert.equal(figure(stopped.said, 'store', 'compared_rows'), figure(stopped.said, 'journal', 'entries'));
});

test('commands, what they do and how they end are listed; what makes no sense is refused with code 2', () => {
  const help = apportion('--help');
  assert.equal(help.code, 0);
  for (const command of ['doctor', 'keys reset-admin']) assert.ok(help.out.includes(`apportion ${command}`), command);
  assert.equal(apportion('cure').code, 2);
  const unknown = apportion('doctor', '--nope');
  assert.deepEqual([unknown.code, unknown.err.includes('apportion doctor [--data-dir DIR]')], [2, true]);
  assert.match(apportion('doctor', '--data-dir', MAIN).err, /is no data directory/);
});
