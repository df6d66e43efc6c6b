import type { ControlChange, ControlSnapshot } from '#accounts';

/** What the gateway process tells the ledger process. */
export type ToLedger =
  | { readonly type: 'start'; readonly nodeId: string; readonly socketPath: string }
  /** Entries up to this sequence number are durable and may be shipped. */
  | { readonly type: 'durable'; readonly seq: number }
  /** The gateway works by this revision of keys from now on. */
  | { readonly type: 'applied'; readonly revision: number }
  | { readonly type: 'stop' };

/** What the ledger process tells the gateway process. */
export type ToGateway =
  /** The control plane is open: what calls need, before the store is. */
  | { readonly type: 'control'; readonly snapshot: ControlSnapshot; readonly firstKeys: FirstKeys }
  /** Analytics and administration answer from now on. */
  | { readonly type: 'serving' }
  | { readonly type: 'change'; readonly change: ControlChange }
  | { readonly type: 'shipped'; readonly seq: number; readonly quarantined: number };

/** Keys that were made at the very first start, in plain text this once. */
export type FirstKeys = { readonly adminKey: string | null; readonly callKey: string | null };
