import { invariant } from '#std';
import { lineSum } from './entry-charges.ts';
import type { EntryFields } from './entry-fields.ts';

/** What is summed up of the store's columns. What is unknown is in no sum; `known` says how many costs are. */
export const SUMMED_COLUMNS = [
  'entries',
  'seqs',
  'known',
  'cost',
  'list_cost',
  'billed',
  'computed_cost',
  'risk',
  'reserved',
  'moved_cost',
  'lines',
  'input_tokens',
  'output_tokens',
  'calls',
] as const;

export type SummedColumn = (typeof SUMMED_COLUMNS)[number];

/** What a report shows, by the names of its answer. All of it adds up over any split of the entries. */
export const REPORTED = [
  'total_cost',
  'total_list_cost',
  'total_billed',
  'estimated_cost',
  'reported_cost',
  'partial_exact_cost',
  'at_risk',
  'sandbox_cost',
  'total_events',
  'total_attempts',
  'total_input_tokens',
  'total_output_tokens',
  'unpriced_events',
  'incomplete_events',
  'estimated_events',
  'in_doubt_events',
] as const;

export type Reported = (typeof REPORTED)[number];

type Summed = SummedColumn | Reported;

// No name may be in both lists: the values of an entry are those of the one, then those of the other.
const PLACES = new Map<Summed, number>([...SUMMED_COLUMNS, ...REPORTED].map((name, at) => [name, at]));

/** Sums that grow entry by entry. */
export class Sums {
  readonly #values: bigint[];

  constructor(values: readonly bigint[] = Array.from(PLACES, () => 0n)) {
    this.#values = [...values];
  }

  add(values: readonly bigint[]): void {
    for (let at = 0; at < values.length; at += 1) {
      const [sum, value] = [this.#values[at], values[at]];
      if (sum !== undefined && value !== undefined && value !== 0n) this.#values[at] = sum + value;
    }
  }

  /** All of it, for another to add. */
  get values(): readonly bigint[] {
    return this.#values;
  }

  get(name: Summed): bigint {
    const sum = this.#values[PLACES.get(name) ?? -1];
    invariant(sum !== undefined, `${name} is summed up`);
    return sum;
  }
}

const NONE = 0n;

/** What an entry adds. */
export function valuesOf(seq: number, entry: EntryFields): readonly bigint[] {
  return [...columnValues(seq, entry), ...reportedValues(entry)];
}

/** In the order of `SUMMED_COLUMNS`. */
function columnValues(seq: number, entry: EntryFields): readonly bigint[] {
  return [
    1n,
    BigInt(seq),
    entry.cost === null ? NONE : 1n,
    known(entry.cost),
    known(entry.listCost),
    known(entry.billed),
    known(entry.computedCost),
    known(entry.atRisk),
    known(entry.reserved),
    entry.movedCost,
    lineSum(entry.charges),
    BigInt(entry.inputTokens),
    BigInt(entry.outputTokens),
    BigInt(entry.countsCall),
  ];
}

/** In the order of `REPORTED`; what each is, is written in docs/analytics-api.md. */
function reportedValues(entry: EntryFields): readonly bigint[] {
  const { cost, listCost, billed, kind, provider } = entry;
  return [
    known(cost),
    known(listCost ?? cost),
    known(billed ?? cost),
    costIn(entry, 'estimated'),
    costIn(entry, 'reported'),
    costIn(entry, 'partial_exact'),
    known(entry.atRisk),
    provider === 'sandbox' ? known(cost) : NONE,
    BigInt(entry.countsCall),
    kind === 'attempt' ? 1n : NONE,
    BigInt(entry.inputTokens),
    BigInt(entry.outputTokens),
    countIn(entry, 'unpriced'),
    countIn(entry, 'incomplete'),
    countIn(entry, 'estimated'),
    countIn(entry, 'in_doubt'),
  ];
}

function known(amount: bigint | null): bigint {
  return amount === null ? NONE : amount;
}

/** SPEC C4: in a state is what has it, with what moved to it, without what it was resolved for. */
function costIn({ state, resolves, cost, movedCost }: EntryFields, wanted: string): bigint {
  const into = state === wanted ? known(cost) + movedCost : NONE;
  return resolves === wanted ? into - movedCost : into;
}

function countIn({ state, resolves, kind }: EntryFields, wanted: string): bigint {
  const into = state === wanted && (kind === 'attempt' || resolves !== '') ? 1n : NONE;
  return resolves === wanted ? into - 1n : into;
}
