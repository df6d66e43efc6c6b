import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { type TimestampMs } from '#std';
import { ApportionError, type TagSet } from '#terms';
import { readBodyTags } from '../body.ts';
import { resolveTags } from '../resolve.ts';
import { applyPolicy } from './apply-policy.ts';
import { createCardinalityGate, type CardinalityGate } from './cardinality-gate.ts';
import { compilePolicy, type CompiledPolicy } from './compile-policy.ts';
import { parseTagPolicy } from './parse-policy.ts';

const NOW = Date.UTC(2026, 10, 2) as TimestampMs;

const key = fc.constantFrom('env', 'envs', 'zone', 'zones', 'customer', 'run_id');
/** No rule of values stands on what may be replaced: a replaced value has no second reading. */
const plainValue = fc.constantFrom('prod', 'Production', 'PROD', 'staging', 'qa', 'a/b', 'größe');
const anyValue = fc.oneof(
  plainValue,
  fc.constantFrom('ann@example.com', '+14155552671', '4111111111111111', `sk-${'a1'.repeat(15)}`, 'h_0123456789abcdef'),
);
const tag = fc.oneof(
  fc.tuple(key, plainValue).map(([name, value]) => `${name}:${value}`),
  anyValue.map((value) => `contact:${value}`),
  anyValue,
  fc.tuple(anyValue, anyValue).map((segments) => segments.join('/')),
);
const tags = fc.uniqueArray(tag, { maxLength: 10 });

const textRule = {
  aliases: fc.dictionary(plainValue, plainValue, { maxKeys: 3 }),
  fold: fc.constantFrom('lower', 'upper'),
};
const rule = fc.record(
  {
    ...textRule,
    values: fc.uniqueArray(plainValue, { minLength: 1, maxLength: 4 }),
    pattern: fc.constantFrom('^[a-z]+$', '^.*$'),
    max_values_per_day: fc.integer({ min: 1, max: 3 }),
  },
  { requiredKeys: [] },
);
const action = fc.constantFrom('off', 'warn', 'hash', 'mask', 'reject');
const level = fc.record(
  {
    mode: fc.constantFrom('off', 'warn', 'warn', 'enforce'),
    required: fc.uniqueArray(key, { maxLength: 2 }),
    keys: fc.dictionary(key, rule, { maxKeys: 3 }),
    labels: fc.record(textRule, { requiredKeys: [] }),
    allow_unknown_keys: fc.boolean(),
    max_tags: fc.integer({ min: 1, max: 8 }),
    detect: fc.record({ email: action, phone: action, card: action, secret: action }, { requiredKeys: [] }),
    hints: fc.boolean(),
  },
  { requiredKeys: [] },
);
const policy = fc.record({ deployment: level, team: level, key: level }, { requiredKeys: [] }).map((given) => {
  const parsed = Object.entries(given).map(([name, one]) => [name, parseTagPolicy(one, 'tag_policy')]);
  return compilePolicy(Object.fromEntries(parsed));
});

function resolved(given: readonly string[]): TagSet {
  const { declaration } = readBodyTags({ request_tags: JSON.stringify(given), session_id: '"ann@example.com"' });
  return resolveTags(new Map([['body', declaration]]), { keyTeam: 'core' });
}

/** The tags, or the words of the 400. */
function outcome(given: TagSet, rules: CompiledPolicy, cardinality: CardinalityGate): TagSet | string {
  try {
    return applyPolicy(given, rules, { now: NOW, cardinality, hashKey: Buffer.from('k') });
  } catch (error) {
    assert.ok(error instanceof ApportionError, String(error));
    assert.equal(error.status, 400);
    return `${error.message} ${error.hint ?? ''}`;
  }
}

function gate(): CardinalityGate {
  return createCardinalityGate({ maxKeys: 10 });
}

test('a policy applied twice gives what it gives once', () => {
  fc.assert(
    fc.property(tags, policy, (given, rules) => {
      const cardinality = gate();
      const once = outcome(resolved(given), rules, cardinality);
      if (typeof once !== 'string') assert.deepEqual(outcome(once, rules, cardinality), once);
    }),
    { numRuns: 500 },
  );
});

test('the order of tags changes neither the result nor the refusal', () => {
  const shuffled = tags.chain((given) =>
    fc.tuple(fc.constant(given), fc.shuffledSubarray(given, { minLength: given.length })),
  );
  fc.assert(
    fc.property(shuffled, policy, ([given, other], rules) => {
      assert.deepEqual(
        unordered(outcome(resolved(given), rules, gate())),
        unordered(outcome(resolved(other), rules, gate())),
      );
    }),
    { numRuns: 500 },
  );
});

function unordered(result: TagSet | string): unknown {
  if (typeof result === 'string') return result;
  const sorted = (list: Iterable<unknown>): string[] => Array.from(list, (one) => JSON.stringify(one)).toSorted();
  return {
    ...result,
    dimensions: sorted(result.dimensions),
    overflow: sorted(result.overflow),
    labels: sorted(result.labels),
    paths: sorted(result.paths),
    conflicts: sorted(result.conflicts),
    sent: sorted(result.sent),
    warnings: sorted(result.warnings),
  };
}

test('whatever stands in the tags, a policy answers with tags or a 400, and its warnings are ASCII', () => {
  const wild = fc.oneof(
    fc.string({ unit: fc.constantFrom('a', '@', '.', '/', ':', '1', '+', '(', 'é', '\n', '😀') }),
    tag,
  );
  fc.assert(
    fc.property(fc.array(wild, { maxLength: 20 }), policy, (given, rules) => {
      const result = outcome(resolved(given), rules, gate());
      if (typeof result !== 'string') assert.match(result.warnings.join(''), /^[\x20-\x7e]*$/);
    }),
    { numRuns: 500 },
  );
});

test('no text that a policy masks is left anywhere', () => {
  const found = ['ann@example.com', '+14155552671', '4111111111111111', 'a1a1a1a1'];
  const all = Object.fromEntries(['email', 'phone', 'card', 'secret'].map((kind) => [kind, 'mask']));
  const rules = compilePolicy({ deployment: parseTagPolicy({ detect: all }, 'tags.policy') });
  fc.assert(
    fc.property(tags, (given) => {
      const result = outcome(resolved(given), rules, gate());
      assert.ok(typeof result !== 'string');
      const text = JSON.stringify([result, ...result.dimensions, ...result.overflow]);
      assert.deepEqual(
        found.filter((one) => text.includes(one)),
        [],
      );
    }),
  );
});
