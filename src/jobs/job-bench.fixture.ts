import assert from 'node:assert/strict';
import { costs, parseCostsQuery, type CostsAnswer } from '#analytics';
import { makePriceBook, makePrices, NO_TERMS, type PriceRow, type Prices } from '#pricing';
import { systemClock, type TimestampMs } from '#std';
import { parseUsd, type EntryId } from '#terms';
import { NO_QUIRKS, USAGE_READERS } from '#wires';
import type { AuditLog } from './audited.ts';
import type { JobDeps } from './job-deps.ts';
import { openLedger, type Call, type OpenLedger } from './open-ledger.fixture.ts';
import { createTurns } from './turns.ts';

export type Recorded = Parameters<AuditLog['record']>[0];

/** A ledger with calls in it, and what a job needs to work on it. */
export type JobBench = {
  readonly ledger: OpenLedger;
  readonly calls: readonly EntryId[];
  readonly audit: Recorded[];
  readonly deps: JobDeps;
  /** Over the days of `DAYS`, whose parts are seen to add up. */
  report(query?: Readonly<Record<string, string>>): Promise<CostsAnswer>;
};

export const instant = (text: string): TimestampMs => Date.parse(text) as TimestampMs;

/** 2 and 8 $/M at provider `p`; 10 in and 5 out cost 0.00006. */
export function rowOf(model: string): PriceRow {
  return {
    id: `p/${model}`,
    layer: 'overlay',
    provider: 'p',
    model,
    match: [{ kind: 'id', id: model }],
    effectiveFrom: null,
    effectiveTo: null,
    rates: { input: { amount: '2', per: 1_000_000 }, output_text: { amount: '8', per: 1_000_000 } },
    source: 'test',
    checked: null,
  };
}

export const PRICES = makePrices(makePriceBook([rowOf('known')]));

/** Half as much again is charged on. */
export const MARKED_UP = makePrices(makePriceBook([rowOf('known')]), {
  ...NO_TERMS,
  markups: [
    {
      id: 'half',
      markup: '0.5',
      provider: null,
      model: null,
      team: null,
      key: null,
      tag: null,
      effectiveFrom: null,
      effectiveTo: null,
    },
  ],
});

export async function openBench(calls: readonly Call[], prices: Prices = PRICES): Promise<JobBench> {
  const ledger = await openLedger();
  const ids = await ledger.record(calls);
  await ledger.untilStored();
  const audit: Recorded[] = [];
  let made = 0;
  return {
    ledger,
    calls: ids,
    audit,
    deps: {
      store: ledger.store,
      prices: () => prices,
      append: ledger.append,
      untilStored: ledger.untilStored,
      audit: { record: async (event) => void audit.push(event) },
      clock: systemClock,
      newId: (of) => `${of}_${(made += 1)}`,
      reader: (wire) => USAGE_READERS[wire],
      quirks: () => NO_QUIRKS,
      inTurn: createTurns(),
    },
    report: async (query = {}) => {
      const asked = { start_date: '2025-01-01', end_date: '2025-01-05', ...query };
      const answer = await costs({ store: ledger.store }, parseCostsQuery(asked, instant('2025-01-06T00:00:00Z')));
      if (!answer.overlapping) {
        for (const amount of ['total_cost_exact', 'total_list_cost_exact', 'total_billed_exact'] as const) {
          const parts = answer.data.map((row) => pico(row[amount]));
          assert.equal(
            parts.reduce((sum, part) => sum + part, 0n),
            pico(answer.summary[amount]),
            JSON.stringify(query),
          );
        }
      }
      return answer;
    },
  };
}

function pico(text: string): bigint {
  return parseUsd(text) ?? assert.fail(`${text} is no exact amount`);
}

/** What of a summary the tests of jobs look at. */
export function amountsOf({ summary }: CostsAnswer): Readonly<Record<'cost' | 'list' | 'billed' | 'risk', string>> {
  return {
    cost: summary.total_cost_exact,
    list: summary.total_list_cost_exact,
    billed: summary.total_billed_exact,
    risk: summary.at_risk_exact,
  };
}
