import type { EntryRecord, Standing } from '#ledger';
import { formatUsd, picoUsd, type PicoUsd } from '#terms';
import type { Resolved } from './resolution-cost.ts';
import type { Left } from './resolution-policy.ts';
import type { WireManyResolved, WireProviderResolved } from './resolution-request.ts';

type Sums = { calls: number; atRisk: bigint; cost: bigint };

/** What a policy has made of the calls in doubt so far. */
export class ResolutionFigures {
  readonly #left: Record<Left, number> = { without_bound: 0, without_estimate: 0 };
  readonly #providers = new Map<string, Sums>();
  #billed = 0n;

  add(entry: EntryRecord, standing: Standing, { rated }: Resolved): void {
    const sums = this.#providers.get(entry.provider) ?? { calls: 0, atRisk: 0n, cost: 0n };
    this.#providers.set(entry.provider, sums);
    sums.calls += 1;
    sums.atRisk = plus(sums.atRisk, standing.atRisk);
    sums.cost = plus(sums.cost, rated.cost);
    // Reports count the cost where an entry has no billed amount of its own.
    this.#billed = plus(this.#billed, rated.billed ?? rated.cost);
  }

  leave(left: Left): void {
    this.#left[left] += 1;
  }

  toWire(): Omit<WireManyResolved, 'object' | 'id' | 'mode' | 'policy' | 'applied'> {
    const all = Array.from(this.#providers.values());
    const resolved = all.reduce((sum, { calls }) => sum + calls, 0);
    return {
      examined: resolved + this.#left.without_bound + this.#left.without_estimate,
      resolved,
      ...this.#left,
      at_risk_exact: exact(all.reduce((sum, { atRisk }) => sum + atRisk, 0n)),
      cost_usd_exact: exact(all.reduce((sum, { cost }) => sum + cost, 0n)),
      billed_usd_exact: exact(this.#billed),
      by_provider: Array.from(this.#providers, ([provider, sums]) => toWireProvider(provider, sums)),
    };
  }
}

function toWireProvider(provider: string, { calls, atRisk, cost }: Sums): WireProviderResolved {
  return { provider, calls, at_risk_exact: exact(atRisk), cost_usd_exact: exact(cost) };
}

/** An unknown amount is in no sum; how many there are stands beside it. */
function plus(sum: bigint, amount: PicoUsd | null): bigint {
  return amount === null ? sum : sum + amount;
}

function exact(amount: bigint): string {
  return formatUsd(picoUsd(amount));
}
