import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { KEY_RULE_KEYS, POLICY_KEYS } from './parse-policy.ts';
import { DETECT_ACTIONS, POLICY_MODES } from './tag-policy.ts';

const page = readFileSync(join(import.meta.dirname, '../../../docs/configuration.md'), 'utf8');

function firstCells(heading: string): string[] {
  const table = page.split(`| ${heading} |`)[1]?.split('\n\n')[0] ?? '';
  return Array.from(table.matchAll(/^\| `([a-z_]+)` \|/gm), ([, name = '']) => name);
}

test('docs/configuration.md and the policy name the same fields, rules, modes and actions', () => {
  assert.deepEqual(firstCells('key of a policy'), POLICY_KEYS);
  assert.deepEqual(firstCells('key of a rule'), KEY_RULE_KEYS);
  assert.deepEqual(firstCells('mode'), POLICY_MODES);
  assert.deepEqual(firstCells('action of `detect`'), DETECT_ACTIONS);
});
