import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { readBudget } from '#accounts';
import { BudgetBook, type ScopedCall } from '#budgets';
import { systemClock, type TimestampMs } from '#std';
import { parseUsd, type Provenance } from '#terms';
import { openAdmin, type OpenAdmin } from '../open-admin.fixture.ts';

type Spending = Partial<Omit<ScopedCall, 'tags'>> & {
  readonly usd: string;
  readonly at?: TimestampMs;
  readonly tags?: Readonly<Record<string, string>>;
  readonly provenance?: Provenance;
};

/** Administration, and the counters that a gateway's journal thread has. */
export type AdminWithBook = OpenAdmin & {
  readonly book: BudgetBook;
  /** A call that costs so much; what became of it. */
  spend(spending: Spending): 'admitted' | 'refused' | 'downgrade';
};

export async function openAdminWithBook(): Promise<AdminWithBook> {
  const book = new BudgetBook();
  const admin = await openAdmin(undefined, { standings: async () => book.standing(systemClock.now()) });
  admin.accounts.onChange(async () => void book.replace(admin.accounts.ring.budgets.map(readBudget)));
  return {
    ...admin,
    book,
    spend: ({ usd, at = systemClock.now(), tags = {}, provenance = 'declared', ...given }) => {
      const cost = parseUsd(usd) ?? assert.fail(`${usd} is no amount`);
      const dimensions = new Map(Object.entries(tags).map(([key, value]) => [key, { value, provenance }]));
      const none = { key: 'key_1', team: '', owner: '', model: 'gpt-5', provider: 'openai', route: '' };
      const call = { ...none, ...given, tags: { dimensions, labels: [], paths: [] } };
      const id = randomUUID();
      const { kind } = book.reserve({ id, call, bound: cost, expected: cost, at });
      if (kind === 'short') assert.fail('no budget is shared here');
      if (kind === 'admitted') book.settle(id, cost);
      return kind;
    },
  };
}
