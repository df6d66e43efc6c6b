import type { ControlChange, ControlSnapshot } from '#accounts';
import type { Crossing, Standing } from '#budgets';
import type { NewEntry } from './corrections.ts';
import type { RouteStanding } from './route-standing.ts';

/** What the gateway process tells the ledger process. */
export type ToLedger =
  | { readonly type: 'start'; readonly nodeId: string; readonly epoch: number; readonly socketPath: string }
  /** Entries up to this sequence number are durable and may be shipped. */
  | { readonly type: 'durable'; readonly seq: number }
  /** The gateway works by this revision of keys from now on. */
  | { readonly type: 'applied'; readonly revision: number }
  /** The entries of a `correct` are on disk, and everything up to `seq`; or why not all of them are. */
  | { readonly type: 'corrected'; readonly id: number; readonly seq: number; readonly problem: string | null }
  /** The segment that was being written is sealed, and everything up to `seq` is on disk; or why it is not. */
  | { readonly type: 'rotated'; readonly id: number; readonly seq: number; readonly problem: string | null }
  /** Spending has passed thresholds of budgets. One that is lost with the process shows in the standings. */
  | { readonly type: 'crossed'; readonly crossings: readonly Crossing[] }
  /** Answers a `standings`: null while the counters cannot be asked. */
  | { readonly type: 'standings'; readonly id: number; readonly standings: readonly Standing[] | null }
  /** Answers a `routes`. */
  | { readonly type: 'routes'; readonly id: number; readonly routes: readonly RouteStanding[] }
  | { readonly type: 'stop' };

/** What the ledger process tells the gateway process. */
export type ToGateway =
  /** The control plane is open: what calls need, before the store is. */
  | { readonly type: 'control'; readonly snapshot: ControlSnapshot; readonly firstKeys: FirstKeys }
  /** Analytics and administration answer from now on. */
  | { readonly type: 'serving' }
  | { readonly type: 'change'; readonly change: ControlChange }
  | { readonly type: 'shipped'; readonly seq: number; readonly quarantined: number }
  /** Entries for the journal: corrections of what is in it. */
  | { readonly type: 'correct'; readonly id: number; readonly entries: readonly NewEntry[] }
  /** Seals the segment of the journal that is being written. */
  | { readonly type: 'rotate'; readonly id: number }
  /** How do all budgets stand? */
  | { readonly type: 'standings'; readonly id: number }
  /** How do all routes stand? */
  | { readonly type: 'routes'; readonly id: number };

/** Keys that were made at the very first start, in plain text this once. */
export type FirstKeys = { readonly adminKey: string | null; readonly callKey: string | null };
