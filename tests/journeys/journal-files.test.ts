import assert from 'node:assert/strict';
import { readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { readEntries } from '#ledger/read';
import { ADMIN_KEY, driveLoad, planCalls, startGateway, startUpstreamProcess, until } from '#world';

const SEGMENT_BYTES = 65_536;
const CALLS = 120;

test('journal files are as large as the settings say: a server begins the next one, and compresses the full ones', async (t) => {
  const upstream = await startUpstreamProcess();
  t.after(() => upstream.close());
  const gateway = await startGateway({ upstream, env: { APPORTION_JOURNAL_SEGMENT_BYTES: String(SEGMENT_BYTES) } });
  t.after(() => gateway.close());
  const outcomes = await driveLoad({
    calls: planCalls({ count: CALLS, seed: 3 }),
    concurrency: 8,
    target: () => Promise.resolve({ url: gateway.url, key: ADMIN_KEY }),
  });
  assert.ok(outcomes.every(({ acknowledged }) => acknowledged));
  const journal = join(gateway.dataDir, 'journal');
  const files = await until('full files to be compressed', 90_000, () => {
    const found = readdirSync(journal).filter((name) => /^\d+\.log(?:\.zst)?$/.test(name));
    return Promise.resolve(found.filter((name) => !name.endsWith('.zst')).length === 1 ? found : undefined);
  });
  assert.ok(files.length > 2, files.join(', '));
  for (const name of files) assert.ok(statSync(join(journal, name)).size < 2 * SEGMENT_BYTES, name);
  assert.equal(Array.from(readEntries(journal)).length, CALLS);
});
