/**
 * Is: work on the ledger that somebody asks for: pricing recorded calls anew, ending doubts, moving money by hand, erasing a person's data.
 * Owns: which entries a job looks at, what it appends, its audit. Not: how a price is found, how an entry is made durable.
 * Holds: no amount of an entry changes, others come beside it; the same job a second time does nothing; one job runs at a time.
 * Fails: `ledger_unavailable` or `journal_unavailable`; what was appended by then holds, and the job can be asked for again.
 */
export {
  type AdjustmentAbout,
  type AdjustmentRequest,
  type Adjustments,
  type WireAdjustment,
} from './adjustment-request.ts';
export { releaseBatches } from './batch-releases.ts';
export { createAdjustments } from './adjustments.ts';
export { type AuditLog } from './audited.ts';
export { retainDetail, type DetailRetention } from './detail-retention.ts';
export { type ErasureRequest, type Erasures } from './erasure-request.ts';
export { createErasures } from './erasures.ts';
export { type JobDeps } from './job-deps.ts';
export { createRepricing } from './repricing.ts';
export { type RepriceRequest, type Repricing, type WireRepricing } from './reprice-request.ts';
export { POLICIES, type Resolution, type Resolutions } from './resolution-request.ts';
export { createResolutions } from './resolutions.ts';
export { createTurns, type InTurn } from './turns.ts';
