import assert from 'node:assert/strict';
import { chmodSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { Findings } from './finding.ts';
import { checkFolder } from './folder-check.ts';

const skip = process.platform === 'win32' && 'Windows has no such rights';

test('rights that let others read are named', { skip }, (t) => {
  const dir = mkdtempSync(join(tmpdir(), 'apportion-folder-'));
  t.after(() => rmSync(dir, { recursive: true, force: true }));
  for (const folder of ['journal', 'store', 'store/quarantine']) mkdirSync(join(dir, folder), { mode: 0o700 });
  const files = ['secret.key', 'control.db', 'journal/0000000001.log', 'store/quarantine/3.json', 'address.json'];
  for (const file of files) writeFileSync(join(dir, file), '', { mode: 0o600 });
  const check = (): readonly string[] => {
    const findings = new Findings();
    const { freeBytes, syncedAt } = checkFolder(dir, findings);
    assert.ok(freeBytes > 0);
    assert.equal(syncedAt, null);
    return findings.list().flatMap(({ rule, place }) => (rule === 'folder.rights' ? [place.file ?? ''] : []));
  };
  assert.deepEqual(check(), []);
  for (const name of ['journal', 'store']) chmodSync(join(dir, name), 0o750);
  for (const file of files) chmodSync(join(dir, file), 0o604);
  // The address is no secret.
  assert.deepEqual(check().toSorted(), ['journal', 'store', ...files.slice(0, 4)].toSorted());
});
