/**
 * Is: work on the ledger that somebody asks for: pricing recorded calls anew, ending doubts, moving money by hand.
 * Owns: which entries a job looks at, what it appends, its audit. Not: how a price is found, how an entry is made durable.
 * Holds: entries only ever get others beside them; the same job a second time appends nothing; one job runs at a time.
 * Fails: `ledger_unavailable` or `journal_unavailable`; what was appended by then holds, and the job can be asked for again.
 */
export {
  type AdjustmentAbout,
  type AdjustmentRequest,
  type Adjustments,
  type WireAdjustment,
} from './adjustment-request.ts';
export { createAdjustments } from './adjustments.ts';
export { type AuditLog } from './audited.ts';
export { type JobDeps } from './job-deps.ts';
export { createRepricing } from './repricing.ts';
export { type RepriceRequest, type Repricing, type WireRepricing } from './reprice-request.ts';
export { POLICIES, type Resolution, type Resolutions } from './resolution-request.ts';
export { createResolutions } from './resolutions.ts';
export { createTurns } from './turns.ts';
