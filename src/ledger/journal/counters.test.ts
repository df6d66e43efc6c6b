import assert from 'node:assert/strict';
import { cpSync, existsSync, mkdirSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { picoUsd } from '#terms';
import { systemClock, type TimestampMs } from '#std';
import type { Budget, Standing } from '#budgets';
import type { Reservation } from './counters.ts';
import { budgetOf, priced, rulesOf, sumOf, WISH, type Priced } from './governed.fixture.ts';
import type { Journal } from './journal.ts';
import { openSample, sampleDeps, scratchDir, seenEntries } from './sample.fixture.ts';

const EACH_KEY: Budget['scope'] = [{ on: 'key', values: { kind: 'each' } }];

async function reserve(journal: Journal, call: Priced): Promise<Reservation> {
  const reservation = await journal.reserve(call.attempt, call.intent, WISH);
  return reservation.kind === 'short' ? assert.fail('no budget is shared here') : reservation;
}

async function spend(journal: Journal, call: Priced, cost: bigint | null): Promise<void> {
  assert.equal((await reserve(journal, call)).kind, 'admitted');
  await journal.settle(call.attempt, call.ended(cost), cost === null ? null : picoUsd(cost));
}

async function figures(journal: Journal): Promise<readonly (readonly bigint[])[]> {
  return (await journal.standings()).map(amountsOf);
}

function amountsOf({ spent, reserved, atRisk, overrun }: Standing): readonly bigint[] {
  return [spent, reserved, atRisk, overrun];
}

test('200 attempts at once against a budget that fits ten: ten are admitted, and only they are written', async (t) => {
  const dir = scratchDir(t);
  const journal = await openSample(t, sampleDeps(dir));
  assert.deepEqual(await journal.govern(rulesOf([budgetOf()])), { problem: null });
  const calls = Array.from({ length: 200 }, () => priced());
  const answers = await Promise.all(calls.map((call) => reserve(journal, call)));
  const admitted = calls.filter((_, at) => answers[at]?.kind === 'admitted');
  assert.equal(admitted.length, 10);
  assert.deepEqual(await figures(journal), [[0n, 100n, 0n, 0n]]);
  await journal.close();
  const again = await openSample(t, sampleDeps(dir));
  assert.equal(again.recovered.inDoubt, 10);
  await again.close();
});

test('a refusal says how the budget stands, and the attempt may be tried again, smaller', async (t) => {
  const journal = await openSample(t, sampleDeps(scratchDir(t)));
  await journal.govern(rulesOf([budgetOf()]));
  await spend(journal, priced({ bound: 95n }), 95n);
  const large = priced({ bound: 10n });
  const refused = await reserve(journal, large);
  assert.equal(refused.kind, 'refused');
  assert.deepEqual(refused.kind === 'refused' && [refused.by.spent, refused.by.needed, refused.clamp], [95n, 10n, 5n]);
  const smaller = large.intent.replace('"reserved":"10"', '"reserved":"5"');
  assert.equal((await journal.reserve(large.attempt, smaller, WISH)).kind, 'admitted');
  await journal.settle(large.attempt, large.ended(4n));
  assert.deepEqual(await figures(journal), [[99n, 0n, 0n, 0n]]);
});

test('without rules everything is admitted, and nothing is counted', async (t) => {
  const journal = await openSample(t, sampleDeps(scratchDir(t)));
  await spend(journal, priced({ bound: null }), 10n ** 15n);
  assert.deepEqual(await figures(journal), []);
});

test('what was spent, runs or is in doubt before a budget is made counts in it', async (t) => {
  const dir = scratchDir(t);
  const journal = await openSample(t, { ...sampleDeps(dir), segmentBytes: 3_000 });
  for (let n = 0; n < 20; n += 1) await spend(journal, priced({ call: { key: `key_${n % 2}` } }), 2n);
  await spend(journal, priced({ call: { key: 'key_0' } }), null);
  const running = priced({ call: { key: 'key_1' }, bound: 7n });
  await reserve(journal, running);
  await journal.govern(rulesOf([budgetOf(), budgetOf({ id: 'b2', scope: EACH_KEY })]));
  assert.deepEqual(await figures(journal), [
    [40n, 7n, 10n, 0n],
    [20n, 0n, 10n, 0n],
    [20n, 7n, 0n, 0n],
  ]);
  await journal.settle(running.attempt, running.ended(9n), picoUsd(9n));
  assert.deepEqual((await figures(journal)).at(-1), [29n, 0n, 0n, 2n]);
});

test('a budget that is taken away and made again has what was spent meanwhile', async (t) => {
  const journal = await openSample(t, sampleDeps(scratchDir(t)));
  await journal.govern(rulesOf([budgetOf()]));
  await spend(journal, priced(), 3n);
  await journal.govern(rulesOf([]));
  await spend(journal, priced(), 4n);
  await journal.govern(rulesOf([budgetOf({ limit: picoUsd(20n), mode: 'standard' })]));
  assert.deepEqual(await figures(journal), [[7n, 0n, 0n, 0n]]);
});

test('a correction of a doubt gives back what was at risk and counts the cost', async (t) => {
  const journal = await openSample(t, sampleDeps(scratchDir(t)));
  await journal.govern(rulesOf([budgetOf()]));
  const call = priced();
  await spend(journal, call, null);
  assert.deepEqual(await figures(journal), [[0n, 0n, 10n, 0n]]);
  const correction = call.ended(6n).replace('"kind":"attempt"', '"kind":"correction"');
  await journal.settle(`${call.attempt}.correction.1`, correction);
  assert.deepEqual(await figures(journal), [[6n, 0n, 0n, 0n]]);
  const later = call.ended(-2n).replace('"kind":"attempt"', '"kind":"correction"');
  await journal.settle(`${call.attempt}.correction.2`, later);
  assert.deepEqual(await figures(journal), [[4n, 0n, 0n, 0n]]);
});

for (const left of ['its checkpoint', 'no checkpoint', 'a broken checkpoint'] as const) {
  test(`after a restart with ${left} the counters are as they were`, async (t) => {
    const dir = scratchDir(t);
    const rules = rulesOf([budgetOf({ window: { kind: 'month', count: 1, startsOn: 1, zone: 'UTC' } })]);
    const first = await openSample(t, sampleDeps(dir));
    await first.govern(rules);
    await spend(first, priced(), 3n);
    await spend(first, priced(), null);
    await first.close();
    const checkpoint = join(dir, 'counters.json');
    assert.ok(existsSync(checkpoint));
    if (left === 'no checkpoint') rmSync(checkpoint);
    if (left === 'a broken checkpoint') writeFileSync(checkpoint, '1\n{"format":1}\n');
    const second = await openSample(t, sampleDeps(dir));
    await spend(second, priced(), 5n);
    await second.govern(rules);
    assert.deepEqual(await figures(second), [[8n, 0n, 10n, 0n]]);
    await second.close();
  });
}

test('killed at any moment, what ran is at risk and what was spent is spent', async (t) => {
  const scratch = scratchDir(t);
  const [living, left] = [join(scratch, 'living'), join(scratch, 'left')];
  mkdirSync(living);
  const journal = await openSample(t, sampleDeps(living));
  await journal.govern(rulesOf([budgetOf()]));
  await spend(journal, priced(), 8n);
  await reserve(journal, priced({ bound: 20n }));
  for (const name of readdirSync(living)) cpSync(join(living, name), join(left, name));
  const next = await openSample(t, sampleDeps(left));
  await next.govern(rulesOf([budgetOf()]));
  assert.deepEqual(await figures(next), [[8n, 0n, 20n, 0n]]);
  assert.deepEqual(sumOf(left), { spent: 8n, atRisk: 20n });
});

test('a budget of one key reads nothing that is older than the key', async (t) => {
  const dir = scratchDir(t);
  const journal = await openSample(t, sampleDeps(dir));
  for (let n = 0; n < 5; n += 1) await spend(journal, priced(), 1n);
  const since = systemClock.now();
  const scope: Budget['scope'] = [{ on: 'key', values: { kind: 'is', value: 'key_new' } }];
  const [own] = [{ budget: budgetOf({ scope }), since }];
  await journal.govern({ budgets: [own], limits: [] });
  await spend(journal, priced({ call: { key: 'key_new' } }), 2n);
  assert.deepEqual(await figures(journal), [[2n, 0n, 0n, 0n]]);
});

test('calls take from limits once, and what they took is settled to what they used', async (t) => {
  const journal = await openSample(t, sampleDeps(scratchDir(t)));
  const pace = { kind: 'bucket', perMs: 86_400_000, burst: 100n } as const;
  const rule = { scope: [], counts: 'declared', effectiveFrom: null, effectiveTo: null } as const;
  const tokens = { ...rule, id: 'l1', name: 'Tokens', amount: 100n, measure: 'tokens', pace } as const;
  const parallel = { ...rule, id: 'l2', name: 'At once', amount: 2n, measure: 'parallel' } as const;
  await journal.govern(rulesOf([], [tokens, parallel]));
  const at = systemClock.now();
  const take = (call: Priced) =>
    journal.reserve(call.attempt, call.intent, { ...WISH, takes: { tokens: 40, usd: null } });
  const calls = [priced({ at }), priced({ at }), priced({ at })];
  const [first, second, third] = calls;
  assert.ok(first !== undefined && second !== undefined && third !== undefined);
  assert.equal((await take(first)).kind, 'admitted');
  const admitted = await take(second);
  assert.deepEqual(admitted.kind === 'admitted' && admitted.limits.map(({ remaining }) => remaining), [20n, 0n]);
  const refused = await take(third);
  assert.equal(refused.kind === 'limited' && refused.answer.by.limitId, 'l2');
  journal.finish(first.callId, { tokens: 5, usd: null });
  journal.finish(second.callId, null);
  const free = await take(third);
  assert.deepEqual(free.kind === 'admitted' && free.limits.map(({ remaining }) => remaining), [55n, 1n]);
});

test('what passes a threshold is told once', async (t) => {
  const journal = await openSample(t, sampleDeps(scratchDir(t)));
  const told: string[] = [];
  journal.onCrossed((crossings) =>
    told.push(...crossings.map(({ budgetId, threshold }) => `${budgetId} ${threshold}`)),
  );
  await journal.govern(rulesOf([budgetOf({ thresholds: [50, 80] })]));
  await spend(journal, priced({ bound: 60n }), 60n);
  await spend(journal, priced({ bound: 10n }), 10n);
  await spend(journal, priced({ bound: 20n }), 20n);
  await figures(journal);
  assert.deepEqual(told, ['b1 50', 'b1 80']);
});

test('a window that is over counts nothing more', async (t) => {
  const journal = await openSample(t, sampleDeps(scratchDir(t)));
  await journal.govern(rulesOf([budgetOf({ window: { kind: 'hour', zone: 'UTC' } })]));
  const yesterday = (systemClock.now() - 86_400_000) as TimestampMs;
  await spend(journal, priced({ at: yesterday, bound: 100n }), 100n);
  assert.equal((await reserve(journal, priced({ bound: 100n }))).kind, 'admitted');
});

test('rules come into force under load, and no entry is missed or counted twice', async (t) => {
  const dir = scratchDir(t);
  const journal = await openSample(t, { ...sampleDeps(dir), segmentBytes: 200_000 });
  const lanes = Array.from({ length: 20 }, async (_, lane) => {
    for (let n = 0; n < 60; n += 1) {
      const call = priced({ call: { key: `key_${lane % 4}` } });
      await reserve(journal, call);
      const cost = n % 7 === 0 ? null : BigInt(n % 10);
      await journal.settle(call.attempt, call.ended(cost), cost === null ? null : picoUsd(cost));
    }
  });
  const limit = picoUsd(10n ** 9n);
  const budgets: Budget[] = [];
  for (let n = 0; n < 4; n += 1) {
    const scope: Budget['scope'] = [{ on: 'key', values: { kind: 'is', value: `key_${n}` } }];
    budgets.push(budgetOf({ id: `b${n}`, scope, limit }));
    await journal.govern(rulesOf(budgets));
  }
  await Promise.all(lanes);
  for (const { budgetId, spent, reserved, atRisk } of await journal.standings()) {
    const ledger = sumOf(dir, ({ key }) => budgetId === `b${key.slice(4)}`);
    assert.deepEqual({ spent, reserved, atRisk }, { ...ledger, reserved: 0n });
  }
  assert.equal(seenEntries(dir).length, 1200);
});
