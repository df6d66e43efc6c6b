import assert from 'node:assert/strict';
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { systemClock } from '#std';
import {
  behaviourText,
  seededRandom,
  startGateway,
  startUpstreamProcess,
  until,
  type Gateway,
  type Random,
} from '#world';
import { recorded, type Recorded } from '../journeys/record.ts';
import { budgetIds, putBudget, standingOf, type Stood } from '../journeys/rules.ts';
import { RUN, scenario } from './run-plan.ts';

const LANES = 16;
const SHORT_ROUNDS = 2;
const CALLS_A_ROUND = 96;
const SETTLE_MS = 90_000;

const CUSTOMERS = ['acme', 'globex', 'initech', ''] as const;
const MODELS = ['gpt-4o', 'gpt-4o-mini', 'gpt-5-mini'] as const;

const FAULTS = [
  undefined,
  undefined,
  undefined,
  'reset_before_headers',
  'reset_after_headers',
  'cut_mid_stream',
  'end_without_done',
  'error_mid_stream',
  'broken_json',
] as const;

/** Budgets by their id, and which entries of the ledger each must have counted. */
const BUDGETS = {
  everything: { scope: {}, counts: () => true },
  month: { scope: {}, window: 'month', counts: () => true },
  customers: { scope: { 'tags.customer': { each: true } }, counts: ({ tags }) => tags['customer'] !== undefined },
  untagged: { scope: { 'tags.customer': { none: true } }, counts: ({ tags }) => tags['customer'] === undefined },
  acme: { scope: { 'tags.customer': 'acme' }, counts: ({ tags }) => tags['customer'] === 'acme' },
  dear: { scope: { model: 'gpt-4o' }, counts: ({ model }) => model === 'gpt-4o' },
  // Used up on the way: what it refuses is in no ledger.
  small: { scope: { 'tags.customer': 'globex' }, limit: '0.02', counts: ({ tags }) => tags['customer'] === 'globex' },
} satisfies Record<string, { scope: object; window?: string; limit?: string; counts: (entry: Recorded) => boolean }>;

test(
  'D5, D6: under load with failures and kills every budget counts what the ledger has: spent, and at risk',
  scenario(),
  async (t) => {
    const random = seededRandom(RUN.seed);
    t.diagnostic(`seed ${RUN.seed}`);
    const upstream = await startUpstreamProcess();
    const gateway = await startGateway({ upstream, env: { APPORTION_JOURNAL_SEGMENT_BYTES: '262144' } });
    t.after(async () => {
      await gateway.close();
      await upstream.close();
    });
    const rounds = Math.max(SHORT_ROUNDS, RUN.rounds * SHORT_ROUNDS);
    const ids = Object.keys(BUDGETS);
    const begun = systemClock.elapsedMs();
    let round = 0;
    for (; round < rounds || systemClock.elapsedMs() - begun < RUN.leastMs; round += 1) {
      await loadUntilKilled(gateway, random);
      // Half of the times the saved counters are gone, and the ledger alone has to tell.
      if (round % 2 === 1) await rm(join(gateway.dataDir, 'journal', 'counters.json'), { force: true });
      await gateway.restart();
      // The first budgets are made when calls were made already, the others later still.
      for (const id of ids.splice(0, 4)) await make(gateway, id);
      await assertCounted(gateway);
    }
    await Promise.all(lanes(gateway, random));
    await gateway.stop();
    await gateway.restart();
    await assertCounted(gateway);
    const entries = recorded(gateway.dataDir).length;
    t.diagnostic(`${round} kills, ${entries} entries, counted by ${Object.keys(BUDGETS).length} budgets`);
  },
);

async function make(gateway: Gateway, id: string): Promise<void> {
  const {
    scope,
    limit = '1000',
    window = 'total',
  }: { scope: object; limit?: string; window?: string } = BUDGETS[id as keyof typeof BUDGETS];
  await putBudget(gateway, { id, scope, limit_usd: limit, window });
}

async function loadUntilKilled(gateway: Gateway, random: Random): Promise<void> {
  const running = lanes(gateway, random);
  const known = recorded(gateway.dataDir).length;
  const enough = random.between(CALLS_A_ROUND / 4, CALLS_A_ROUND / 2);
  await until('some of the calls to be recorded', SETTLE_MS, async () =>
    recorded(gateway.dataDir).length - known >= enough ? true : undefined,
  );
  await gateway.kill();
  await Promise.all(running);
}

function lanes(gateway: Gateway, random: Random): Promise<void>[] {
  return Array.from({ length: LANES }, async () => {
    for (let n = 0; n < CALLS_A_ROUND / LANES; n += 1) await callOnce(gateway, random);
  });
}

/** One call in six is left by its caller; what becomes of it is the ledger's to say. */
async function callOnce(gateway: Gateway, random: Random): Promise<void> {
  const leaves = random.next() < 1 / 6;
  const fault = random.pick(FAULTS);
  const error = random.next() < 0.1 ? { error: random.pick([400, 429, 500]) } : {};
  const behaviour = { seed: random.between(1, 1e6), delay: random.between(0, 60), ...error, ...(fault && { fault }) };
  const customer = random.pick(CUSTOMERS);
  const aborting = new AbortController();
  if (leaves) setTimeout(() => aborting.abort(), random.between(5, 80));
  await fetch(`${gateway.url}/v1/chat/completions`, {
    method: 'POST',
    signal: aborting.signal,
    headers: {
      authorization: `Bearer ${gateway.adminKey}`,
      'content-type': 'application/json',
      ...(customer === '' ? {} : { 'x-apportion-tags': `customer=${customer}` }),
    },
    body: JSON.stringify({
      model: random.pick(MODELS),
      stream: random.next() < 0.5,
      max_completion_tokens: random.between(8, 400),
      messages: [{ role: 'user', content: behaviourText(behaviour) }],
    }),
  })
    .then((answer) => answer.arrayBuffer())
    .catch(() => undefined);
}

/** Calls whose callers left may end a little later. */
async function assertCounted(gateway: Gateway): Promise<void> {
  for (const id of await budgetIds(gateway)) {
    const { counts } = BUDGETS[id as keyof typeof BUDGETS];
    await until(`${id} to hold nothing`, SETTLE_MS, async () =>
      (await standingOf(gateway, id)).reserved === 0n ? true : undefined,
    );
    const { atRisk, spent } = await standingOf(gateway, id);
    const ledger = sumsOf(recorded(gateway.dataDir).filter(counts));
    assert.deepEqual({ id, spent, atRisk }, { id, spent: ledger.spent, atRisk: ledger.atRisk });
  }
}

function sumsOf(entries: readonly Recorded[]): Omit<Stood, 'reserved'> {
  let spent = 0n;
  let atRisk = 0n;
  for (const { cost, reserved } of entries) {
    if (cost !== null) spent += cost;
    else if (reserved !== null) atRisk += reserved;
  }
  return { spent, atRisk };
}
