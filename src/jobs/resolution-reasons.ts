/** Reasons of corrections that rest on somebody's word, or on a policy, and not on usage and prices. */
export const STATED = ['resolved_cost', 'resolved_zero', 'resolved_at_risk', 'resolved_estimate'] as const;

/** Why a correction put an end to a doubt. */
export type ResolutionReason = (typeof STATED)[number] | 'resolved_usage';
