import type { CostState, PicoUsd } from '#terms';

/** What ends a doubt: a cost that somebody states, or the provider's usage object, priced as of its time. */
export type Resolution =
  | { readonly kind: 'cost'; readonly cost: PicoUsd }
  | { readonly kind: 'usage'; readonly usage: unknown };

export type ResolveRequest = {
  /** A call's id or an entry's. */
  readonly id: string;
  readonly resolution: Resolution;
  readonly reason: string;
  readonly actor: string;
};

/**
 * What is assumed of calls that nobody can say anything about: `at_risk` books what was reserved for them, `estimate` the share of it
 * that calls of the same model came to, `zero` declares that they were not billed.
 */
export const POLICIES = ['at_risk', 'estimate', 'zero'] as const;

export type Policy = (typeof POLICIES)[number];

/** Which calls in doubt are meant. Null holds for every value. */
export type InDoubtFilter = {
  /** Only calls that began at least so long ago. */
  readonly olderThanHours: number;
  readonly provider: string | null;
  readonly model: string | null;
};

export type ResolveManyRequest = InDoubtFilter & {
  readonly policy: Policy;
  readonly reason: string;
  readonly actor: string;
};

export type InDoubtListRequest = InDoubtFilter & { readonly limit: number; readonly cursor: string | null };

export type Resolutions = {
  resolve(request: ResolveRequest): Promise<WireResolution>;
  previewMany(request: ResolveManyRequest): Promise<WireManyResolved>;
  applyMany(request: ResolveManyRequest): Promise<WireManyResolved>;
  /** Oldest first. */
  inDoubt(request: InDoubtListRequest, signal?: AbortSignal): Promise<WireInDoubtList>;
};

export type WireResolution = {
  readonly object: 'resolution';
  readonly call_id: string;
  readonly entry_id: string;
  /** The entry that was appended; null where all of it stood already. */
  readonly correction_id: string | null;
  readonly applied: number;
  readonly old_state: CostState;
  readonly cost_state: CostState;
  readonly old_cost_exact: string | null;
  readonly cost_usd_exact: string | null;
  readonly billed_usd_exact: string | null;
  readonly list_cost_usd_exact: string | null;
  readonly at_risk_before_exact: string | null;
  readonly meters: Readonly<Record<string, number>>;
};

export type WireProviderResolved = {
  readonly provider: string;
  readonly calls: number;
  readonly at_risk_exact: string;
  readonly cost_usd_exact: string;
};

export type WireManyResolved = {
  readonly object: 'resolutions';
  readonly id: string;
  readonly mode: 'preview' | 'apply';
  readonly policy: Policy;
  readonly examined: number;
  readonly resolved: number;
  /** Left in doubt, because nothing bounds them. */
  readonly without_bound: number;
  /** Left in doubt, because no call of their model tells what one comes to. */
  readonly without_estimate: number;
  /** Of those that are resolved. */
  readonly at_risk_exact: string;
  readonly cost_usd_exact: string;
  readonly billed_usd_exact: string;
  readonly by_provider: readonly WireProviderResolved[];
  /** Corrections that were appended. */
  readonly applied: number;
};

export type WireInDoubt = {
  readonly object: 'in_doubt';
  readonly call_id: string;
  readonly entry_id: string;
  readonly timestamp: string;
  readonly age_seconds: number;
  readonly provider: string;
  readonly model: string;
  /** The most it can have cost; null when nothing bounds it. */
  readonly at_risk_exact: string | null;
  readonly reason: string;
  readonly key_id: string;
  readonly key_name: string;
  readonly entity_type: string | null;
  readonly entity_id: string | null;
};

export type WireInDoubtSums = {
  readonly calls: number;
  readonly at_risk_exact: string;
  readonly without_bound: number;
};

export type WireInDoubtList = {
  readonly object: 'list';
  readonly data: readonly WireInDoubt[];
  /** Over all that match, not the page. */
  readonly summary: WireInDoubtSums & {
    readonly by_provider: readonly (WireInDoubtSums & { readonly provider: string })[];
  };
  readonly has_more: boolean;
  readonly next_cursor: string | null;
};
