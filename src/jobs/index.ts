/**
 * Is: work on the whole ledger that somebody asks for: pricing recorded calls anew.
 * Owns: which entries a job looks at, what it appends, its audit. Not: how a price is found, how an entry is made durable.
 * Holds: entries only ever get corrections beside them; the same job a second time appends nothing; one job runs at a time.
 * Fails: `ledger_unavailable` or `journal_unavailable`; what was appended by then holds, and the job can be asked for again.
 */
export { createRepricing, type AuditLog, type RepricingDeps } from './repricing.ts';
export { type RepriceRequest, type Repricing, type WireRepricing } from './reprice-request.ts';
