import { addUsd, usdNumber, formatUsd, ZERO_USD, type PicoUsd } from '#terms';
import { bucketsOf } from '../breakdown.ts';
import { valueOf } from '../grouping.ts';
import { countOf, moneyOf, textOf } from '../reader.ts';
import type { Report } from '../report.ts';
import type { Source } from '../summed.ts';
import { apiKeyOf, type KeyName } from './spend-deps.ts';
import { toWireSpend } from './spend-money.ts';

/** A day of LiteLLM's summarised logs: beside the fields named here, a number under the hash of every key. */
export type WireSpendDay = {
  readonly startTime: string;
  readonly spend: number;
  readonly spend_exact: string;
  readonly users: Readonly<Record<string, number>>;
  readonly models: Readonly<Record<string, number>>;
  /** The same amounts to the pico-dollar. */
  readonly exact: {
    readonly users: Readonly<Record<string, string>>;
    readonly models: Readonly<Record<string, string>>;
    readonly keys: Readonly<Record<string, string>>;
  };
  /** Attempts without a price: not in the spend. */
  readonly unpriced_events: number;
  readonly [apiKey: string]: unknown;
};

type Part = 'users' | 'models' | 'keys';

const PARTS: Readonly<Record<Part, Source>> = {
  users: valueOf('key_owner', "nullIf(toString(key_owner), '')"),
  models: valueOf('model', "nullIf(toString(model), '')"),
  keys: valueOf('key', "nullIf(toString(key_id), '')"),
};

type Day = Record<Part, Map<string, PicoUsd>> & { unpriced: number };

/** Days that have entries, oldest first; both ends of the period belong to it. */
export async function spendDays(report: Report, keys: ReadonlyMap<string, KeyName>): Promise<readonly WireSpendDay[]> {
  const days = new Map<string, Day>();
  const fill = async (part: Part): Promise<void> => {
    const time = bucketsOf('day', report.filter.period);
    const asked = { source: PARTS[part], time, summed: ['cost', 'unpriced_count'] } as const;
    const rows = await report.parts(
      asked,
      (from) => `SELECT toString(t) AS x_day, ifNull(g, '') AS x_name, toString(sumForEach(part)[1]) AS x_cost,
        toInt64(sumForEach(part)[2]) AS x_unpriced ${from} GROUP BY x_day, x_name ORDER BY x_day, x_name`,
    );
    for (const row of rows) {
      const date = textOf(row, 'x_day');
      const day = days.get(date) ?? { users: new Map(), models: new Map(), keys: new Map(), unpriced: 0 };
      days.set(date, day);
      const name = textOf(row, 'x_name');
      day[part].set(part === 'keys' ? apiKeyOf(name, keys) : name, moneyOf(row, 'x_cost'));
      if (part === 'keys') day.unpriced += countOf(row, 'x_unpriced');
    }
  };
  await Promise.all([fill('users'), fill('models'), fill('keys')]);
  return Array.from(days)
    .toSorted(([left], [right]) => (left < right ? -1 : 1))
    .map(([date, day]) => toWireDay(date, day));
}

function toWireDay(date: string, { users, models, keys, unpriced }: Day): WireSpendDay {
  let total = ZERO_USD;
  for (const cost of keys.values()) total = addUsd(total, cost);
  return {
    ...mapped(keys, usdNumber),
    startTime: date,
    ...toWireSpend(total),
    users: mapped(users, usdNumber),
    models: mapped(models, usdNumber),
    exact: { users: mapped(users, formatUsd), models: mapped(models, formatUsd), keys: mapped(keys, formatUsd) },
    unpriced_events: unpriced,
  };
}

function mapped<T>(amounts: ReadonlyMap<string, PicoUsd>, write: (amount: PicoUsd) => T): Readonly<Record<string, T>> {
  return Object.fromEntries(Array.from(amounts, ([name, amount]) => [name, write(amount)]));
}
