import type { Kysely } from 'kysely';
import type { ControlDatabase, ControlTables } from '#accounts';

/** Postgres gives 64-bit integers back as text. */
type Int64 = number | string;

export type RuleTable = {
  id: string;
  /** JSON, as the API takes it. */
  body: string;
  muted_until: Int64 | null;
  /** Up to when it has been evaluated. */
  evaluated_at: Int64;
  created_at: Int64;
  created_by: string;
  updated_at: Int64;
  deleted_at: Int64 | null;
};

export type ChannelTable = {
  id: string;
  kind: string;
  name: string;
  /** JSON: what may be shown. */
  shown: string;
  /** JSON: addresses that are secrets themselves, keys. Never answered, never logged. */
  secrets: string;
  created_at: Int64;
  created_by: string;
  updated_at: Int64;
  deleted_at: Int64 | null;
};

export type EventTable = {
  /** Made of rule, instance, window and threshold: there is one for each, whoever finds it. */
  id: string;
  rule_id: string;
  instance: string;
  window_id: string;
  threshold: string;
  /** `firing` or `resolved`. */
  state: string;
  opened_at: Int64;
  resolved_at: Int64 | null;
  /** JSON: what a notification says. */
  body: string;
};

export type DeliveryTable = {
  /** Made of event, channel and kind; also what a receiver tells repetitions by. */
  id: string;
  channel_id: string;
  /** Null for digests and tests, which are about no single event. */
  event_id: string | null;
  /** `firing`, `resolved`, `digest` or `test`. */
  kind: string;
  /** `waiting`, `delivered`, `failed`, `muted`; `collecting` for a digest, then `digested`. */
  state: string;
  /** The next attempt, or when the digest is due. */
  due_at: Int64;
  expires_at: Int64;
  attempts: Int64;
  /** The digest it is part of. */
  digest_id: string | null;
  claimed_by: string | null;
  claimed_until: Int64;
  created_at: Int64;
  done_at: Int64 | null;
};

export type AttemptTable = {
  delivery_id: string;
  n: Int64;
  at: Int64;
  took_ms: Int64;
  /** 1 when the receiver took it. */
  ok: number;
  /** Of HTTP or SMTP. */
  status: Int64 | null;
  answer: string;
};

export type AlertTables = {
  alert_rules: RuleTable;
  alert_channels: ChannelTable;
  alert_events: EventTable;
  alert_deliveries: DeliveryTable;
  alert_attempts: AttemptTable;
};

export type AlertQueries = Kysely<ControlTables & AlertTables>;

/** `control.db`, with the tables of alerts. */
export function withAlertTables(database: ControlDatabase): AlertQueries {
  return database.withTables<AlertTables>();
}
