import type { EntryRecord, Standing } from '#ledger';
import { formatUsd, picoUsd, type PicoUsd, type RatedCost } from '#terms';
import type { Repriced } from './reprice-entry.ts';
import type { WireEntryChange, WireModelChange, WireRepricing } from './reprice-request.ts';

/** Changes shown one by one at most. */
const LARGEST = 20;

type ModelSums = {
  readonly provider: string;
  readonly model: string;
  examined: number;
  changed: number;
  before: bigint;
  after: bigint;
};

/** What a run has found so far. */
export class RepriceFigures {
  readonly #outcomes = { changed: 0, unchanged: 0, without_usage: 0, without_price: 0, kept: 0 };
  readonly #models = new Map<string, ModelSums>();
  #largest: { readonly size: bigint; readonly wire: WireEntryChange }[] = [];
  #listDelta = 0n;
  #billedDelta = 0n;
  #unpricedBefore = 0;
  #unpricedAfter = 0;

  add(entry: EntryRecord, standing: Standing, repriced: Repriced): void {
    this.#outcomes[repriced.is] += 1;
    if (standing.state === 'unpriced') this.#unpricedBefore += 1;
    const model = this.#modelOf(entry);
    model.examined += 1;
    model.before = plus(model.before, standing.cost);
    if (repriced.is !== 'changed') {
      model.after = plus(model.after, standing.cost);
      if (standing.state === 'unpriced') this.#unpricedAfter += 1;
      return;
    }
    const { rated } = repriced;
    model.changed += 1;
    model.after = plus(model.after, rated.cost);
    // Reports count the cost where an entry has no list cost or billed amount of its own.
    this.#listDelta += between(standing.listCost ?? standing.cost, rated.listCost ?? rated.cost);
    this.#billedDelta += between(standing.billed ?? standing.cost, rated.billed ?? rated.cost);
    this.#keepLargest(entry, standing, rated);
  }

  toWire(): Omit<WireRepricing, 'id' | 'mode' | 'price_book' | 'without_detail' | 'applied'> {
    const models = Array.from(this.#models.values());
    const sum = (read: (model: ModelSums) => bigint): bigint =>
      models.reduce((total, model) => total + read(model), 0n);
    const examined = models.reduce((total, model) => total + model.examined, 0);
    return {
      examined,
      ...this.#outcomes,
      unchanged: examined - this.#outcomes.changed,
      unpriced_before: this.#unpricedBefore,
      unpriced_after: this.#unpricedAfter,
      ...toWireAmounts(
        sum((model) => model.before),
        sum((model) => model.after),
      ),
      list_delta_exact: exact(this.#listDelta),
      billed_delta_exact: exact(this.#billedDelta),
      by_model: models.toSorted(byChange).map(toWireModel),
      largest: this.#largest.map(({ wire }) => wire),
    };
  }

  #modelOf({ provider, model }: EntryRecord): ModelSums {
    const name = `${provider}/${model}`;
    const known = this.#models.get(name) ?? { provider, model, examined: 0, changed: 0, before: 0n, after: 0n };
    this.#models.set(name, known);
    return known;
  }

  #keepLargest(entry: EntryRecord, standing: Standing, rated: RatedCost): void {
    const delta = between(standing.cost, rated.cost);
    const size = delta < 0n ? -delta : delta;
    const smallest = this.#largest.at(-1);
    if (this.#largest.length >= LARGEST && smallest !== undefined && size <= smallest.size) return;
    const wire: WireEntryChange = {
      entry_id: entry.entryId,
      timestamp: new Date(entry.effectiveAt).toISOString(),
      provider: entry.provider,
      model: entry.model,
      old_state: standing.state,
      new_state: rated.state,
      old_cost_exact: standing.cost === null ? null : formatUsd(standing.cost),
      new_cost_exact: rated.cost === null ? null : formatUsd(rated.cost),
      delta_exact: exact(delta),
    };
    this.#largest = [...this.#largest, { size, wire }]
      .toSorted((left, right) => (left.size === right.size ? 0 : left.size < right.size ? 1 : -1))
      .slice(0, LARGEST);
  }
}

/** An unknown amount is in no sum; how many there are stands beside it. */
function plus(sum: bigint, amount: PicoUsd | null): bigint {
  return amount === null ? sum : sum + amount;
}

function between(before: PicoUsd | null, after: PicoUsd | null): bigint {
  return plus(0n, after) - plus(0n, before);
}

function toWireAmounts(
  before: bigint,
  after: bigint,
): Pick<WireRepricing, 'old_cost_exact' | 'new_cost_exact' | 'delta_exact'> {
  return { old_cost_exact: exact(before), new_cost_exact: exact(after), delta_exact: exact(after - before) };
}

function toWireModel({ provider, model, examined, changed, before, after }: ModelSums): WireModelChange {
  return { provider, model, examined, changed, ...toWireAmounts(before, after) };
}

function byChange(left: ModelSums, right: ModelSums): number {
  const size = ({ before, after }: ModelSums): bigint => (after < before ? before - after : after - before);
  if (size(left) !== size(right)) return size(left) < size(right) ? 1 : -1;
  return `${left.provider}/${left.model}` < `${right.provider}/${right.model}` ? -1 : 1;
}

function exact(amount: bigint): string {
  return formatUsd(picoUsd(amount));
}
