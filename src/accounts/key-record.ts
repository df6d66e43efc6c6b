import { type TimestampMs } from '#std';
import { type BudgetRecord, type LimitRecord } from './budgets/rule-record.ts';
import { type StoredPriceTerm } from './price-term-record.ts';
import { type TeamRecord } from './team-record.ts';

/** A virtual key without its token: what tables, snapshots and changes carry. Plain JSON. */
export type KeyRecord = {
  /** `key_…`, stable for ever: entries and reports point at it. */
  readonly id: string;
  /** SHA-256 of the token in hex. */
  readonly hash: string;
  /** The token before this one, while it still counts: rotation with grace. */
  readonly previous: { readonly hash: string; readonly until: TimestampMs } | null;
  /** What reports call the key: its alias, else the shown form of its token. */
  readonly name: string;
  /** Unique among keys that are not deleted. */
  readonly alias: string | null;
  readonly shown: string;
  readonly role: 'call';
  /** The team the key proves; empty for none. */
  readonly team: string;
  readonly owner: string;
  /** The models the key may call; empty for all. */
  readonly models: readonly string[];
  /** The routes the key may use, as `parseAllowedRoutes` leaves them; empty for all. */
  readonly routes: readonly string[];
  /** The addresses it may be used from, single ones or CIDR; empty for all. */
  readonly addresses: readonly string[];
  readonly metadata: Readonly<Record<string, unknown>>;
  readonly expiresAt: TimestampMs | null;
  readonly blocked: boolean;
  /** A deleted key stays as a row, so that reports keep its name. */
  readonly deletedAt: TimestampMs | null;
  readonly createdAt: TimestampMs;
  /** The control-plane revision of its last change. */
  readonly revision: number;
};

/** Everything a gateway needs to identify callers. Holds hashes only, and nothing of a configured admin key. */
export type ControlSnapshot = {
  readonly revision: number;
  /** Hash of the generated admin key; null when the admin key is configured and none was ever generated. */
  readonly adminKeyHash: string | null;
  /** Keys that are not deleted. */
  readonly keys: readonly KeyRecord[];
  /** Teams that are not deleted. */
  readonly teams: readonly TeamRecord[];
  /** What the operator says about prices and did not delete; newest first, which is the order in which they hold. */
  readonly priceTerms: readonly StoredPriceTerm[];
  /** Those that are not deleted, in force or not. */
  readonly budgets: readonly BudgetRecord[];
  /** Those that are not deleted, in force or not. */
  readonly limits: readonly LimitRecord[];
};

/** One write: what it touched, as it is now. `revision` is exactly one more than that of the change before. */
export type ControlChange = {
  readonly revision: number;
  readonly keys: readonly KeyRecord[];
  readonly teams: readonly TeamRecord[];
  readonly priceTerms: readonly StoredPriceTerm[];
  readonly budgets: readonly BudgetRecord[];
  readonly limits: readonly LimitRecord[];
};
