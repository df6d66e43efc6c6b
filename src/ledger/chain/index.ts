/**
 * Is: what proves that recorded entries are as they were: a digest for each, a hash chain over all, a root for each day.
 * Owns: `chain/` of the data directory, the digest that outlives an erasure, verification. Not: the journal's own checksums, or who keeps the roots.
 * Holds: erasing an identifying value leaves every digest as it was; any other change of an entry changes all heads after it.
 * Fails: the thread tells why and tries again, calls and reports do not notice; a verification answers what is broken, it does not throw.
 */
export { followWithChain, type Chain, type ChainDeps, type ChainState } from './chain.ts';
export { type DailyRoot } from './chain-files.ts';
export { verifyChain, type Broken, type Verification, type VerifyRange } from './verify-chain.ts';
