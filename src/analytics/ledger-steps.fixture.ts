import fc from 'fast-check';
import type { CostState } from '#terms';
import type { Seed, SeededLedger } from './seeded-ledger.fixture.ts';

/** What befalls a ledger. */
export type Step =
  | { readonly do: 'add'; readonly seeds: readonly Seed[] }
  | { readonly do: 'correct'; readonly which: number; readonly cost: bigint; readonly state: CostState }
  | { readonly do: 'sum' }
  | { readonly do: 'repeat' }
  | { readonly do: 'erase'; readonly value: string };

const money = fc.bigInt({ min: 0n, max: 10n ** 15n });

const seeds: fc.Arbitrary<Seed> = fc.record({
  at: fc
    .integer({ min: Date.parse('2025-01-01T00:00:00Z'), max: Date.parse('2025-01-05T00:00:00Z') })
    .map((ms) => new Date(ms).toISOString()),
  body: fc.record(
    {
      request_tags: fc.subarray(['beta', 'US/Texas', 'US/California/SF', 'team:eng', 'team:eng/search', 'env:prod']),
      entity_type: fc.constant('customer'),
      entity_id: fc.constantFrom('acme', 'globex', 'ann@example.com'),
      session_id: fc.constantFrom('chat 1', 'chat 2', 'chat 3'),
    },
    { requiredKeys: ['request_tags', 'entity_type', 'entity_id'] },
  ),
  model: fc.constantFrom('gpt-4o', 'o4-mini', 'claude'),
  provider: fc.constantFrom('openai', 'anthropic', 'sandbox'),
  key: fc.constantFrom({ id: 'key_1', team: 'core' }, { id: 'key_2', owner: 'bob' }),
  cost: money,
  billed: money,
  state: fc.constantFrom('exact', 'estimated', 'unpriced', 'in_doubt', 'reported'),
  status: fc.constantFrom('ok', 'upstream_error'),
  region: fc.constantFrom('', 'eu'),
  route: fc.constantFrom('', 'best'),
  serviceTier: fc.constantFrom('default', 'priority'),
});

const corrections: fc.Arbitrary<Step> = fc.record({
  do: fc.constant('correct' as const),
  which: fc.nat(),
  cost: money,
  state: fc.constantFrom('exact', 'reported', 'estimated'),
});

/** Calls of five days, late and corrected ones, sums in between, and erasures. */
export const steps: fc.Arbitrary<readonly Step[]> = fc.array(
  fc.oneof(
    {
      weight: 5,
      arbitrary: fc.record({
        do: fc.constant('add' as const),
        seeds: fc.array(seeds, { minLength: 1, maxLength: 12 }),
      }),
    },
    { weight: 4, arbitrary: corrections },
    { weight: 4, arbitrary: fc.constant({ do: 'sum' } as const) },
    { weight: 1, arbitrary: fc.constant({ do: 'repeat' } as const) },
    {
      weight: 1,
      arbitrary: fc.record({ do: fc.constant('erase' as const), value: fc.constantFrom('acme', 'ann@example.com') }),
    },
  ),
  { minLength: 3, maxLength: 9 },
);

export async function take(ledger: SeededLedger, step: Step, entries: string[]): Promise<void> {
  switch (step.do) {
    case 'add': {
      const ids = await ledger.add(step.seeds);
      entries.push(...ids.map((id) => `${id}.1.attempt.0`));
      return;
    }
    case 'correct': {
      const entry = entries[step.which % Math.max(1, entries.length)];
      if (entry !== undefined) await ledger.correct([{ entry, cost: step.cost, state: step.state }]);
      return;
    }
    case 'sum':
      return await ledger.sumUp();
    case 'repeat':
      return await ledger.repeat();
    case 'erase':
      return await ledger.erase({ kind: 'tag', key: 'customer', value: step.value });
  }
}
