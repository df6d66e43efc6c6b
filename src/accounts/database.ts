import { chmodSync, closeSync, openSync } from 'node:fs';
import { DatabaseSync, type SQLInputValue } from 'node:sqlite';
import { Kysely, SqliteDialect, type SqliteDatabase } from 'kysely';
import { invariant } from '#std';

/** Postgres gives 64-bit integers back as text; rows are read through `Number`, which is exact up to 2^53. */
type Int64 = number | string;

export type KeyTable = {
  id: string;
  hash: string;
  name: string;
  alias: string | null;
  prefix_shown: string;
  role: string;
  team: string;
  owner: string;
  models: string;
  metadata: string;
  expires_at: Int64 | null;
  blocked: number;
  deleted_at: Int64 | null;
  created_at: Int64;
  revision: Int64;
  /** The token before this one, while it still counts. */
  previous_hash: string | null;
  previous_until: Int64 | null;
  /** JSON. */
  routes: string;
  /** JSON. */
  addresses: string;
};

export type TeamTable = {
  id: string;
  alias: string | null;
  metadata: string;
  blocked: number;
  created_at: Int64;
  deleted_at: Int64 | null;
  revision: Int64;
};

export type TagRegistryTable = {
  /** `key`: a dimension's key. `tag`: one tag as it is written, `team:growth`, `beta` or `US/California`. */
  kind: string;
  name: string;
  description: string | null;
  owner: string | null;
  models: string;
  created_at: Int64;
  updated_at: Int64;
  created_by: string;
  deleted_at: Int64 | null;
};

export type PriceTermTable = {
  id: string;
  kind: string;
  /** JSON. */
  body: string;
  created_at: Int64;
  created_by: string;
  deleted_at: Int64 | null;
  revision: Int64;
};

/** Budgets and rate limits: one shape, two tables. */
export type RuleTable = {
  id: string;
  /** JSON of the whole record. */
  body: string;
  origin_kind: string;
  origin_id: string;
  created_at: Int64;
  deleted_at: Int64 | null;
  revision: Int64;
};

/** What LiteLLM's clients set on keys, teams, tags, customers and users. */
export type SubjectTable = {
  kind: string;
  id: string;
  /** JSON. */
  profile: string;
  /** JSON. */
  terms: string;
  plan_id: string | null;
  created_at: Int64;
  updated_at: Int64;
  created_by: string;
};

export type BudgetPlanTable = {
  id: string;
  /** JSON. */
  terms: string;
  created_at: Int64;
  updated_at: Int64;
  created_by: string;
  updated_by: string;
};

/** Rows are added, never changed. */
export type AuditLogTable = {
  /** Sorts by time. */
  id: string;
  at: Int64;
  actor: string;
  action: string;
  target: string;
  /** JSON. */
  detail: string;
};

export type MemberTable = {
  id: string;
  kind: string;
  email: string | null;
  /** Unique; null for those without address, and for deleted ones. */
  email_folded: string | null;
  name: string;
  role: string;
  /** JSON. */
  teams: string;
  password: string | null;
  disabled: number;
  created_at: Int64;
  created_by: string;
  last_sign_in_at: Int64 | null;
  deleted_at: Int64 | null;
  /** Who it is at an identity provider, `issuer subject`; unique. Null for those who never signed in there. */
  subject: string | null;
};

/** Invitations and links to a new password: one per member, gone when it was taken. */
export type MemberLinkTable = { member_id: string; hash: string; expires_at: Int64 };

export type ReadTokenTable = {
  id: string;
  hash: string;
  name: string;
  shown: string;
  /** JSON. */
  reach: string;
  expires_at: Int64 | null;
  revoked_at: Int64 | null;
  created_at: Int64;
  created_by: string;
  last_used_at: Int64 | null;
};

export type ControlTables = {
  keys: KeyTable;
  teams: TeamTable;
  tag_registry: TagRegistryTable;
  price_terms: PriceTermTable;
  budgets: RuleTable;
  limits: RuleTable;
  subjects: SubjectTable;
  budget_plans: BudgetPlanTable;
  audit_log: AuditLogTable;
  meta: { key: string; value: string };
  members: MemberTable;
  member_links: MemberLinkTable;
  read_tokens: ReadTokenTable;
  /** `member_id` is null where the session began with the admin key. */
  ui_sessions: { hash: string; created_at: Int64; expires_at: Int64; member_id: string | null };
  /** One row. Raising it takes the row's lock, so revisions are in commit order on Postgres too. */
  control_revision: { id: number; value: Int64 };
};

export type ControlDatabase = Kysely<ControlTables>;

export function openControlDatabase(file: string): ControlDatabase {
  return new Kysely<ControlTables>({ dialect: new SqliteDialect({ database: nodeSqlite(file) }) });
}

/** `node:sqlite` in the shape Kysely's SQLite dialect asks for. */
function nodeSqlite(file: string): SqliteDatabase {
  if (file !== ':memory:') createPrivate(file);
  const database = new DatabaseSync(file);
  database.exec('PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; PRAGMA busy_timeout = 5000');
  return {
    close: () => database.close(),
    prepare: (sql) => {
      const statement = database.prepare(sql);
      return {
        reader: statement.columns().length > 0,
        all: (parameters) => statement.all(...toSqlite(parameters)),
        run: (parameters) => statement.run(...toSqlite(parameters)),
        iterate: (parameters) => statement.iterate(...toSqlite(parameters)),
      };
    },
  };
}

/** Only the owner may read who holds keys; SQLite gives its side files the rights of the main file. */
function createPrivate(file: string): void {
  closeSync(openSync(file, 'a', 0o600));
  chmodSync(file, 0o600);
}

function toSqlite(parameters: readonly unknown[]): SQLInputValue[] {
  return parameters.map((parameter) => {
    if (parameter === null || typeof parameter === 'string' || typeof parameter === 'number') return parameter;
    invariant(typeof parameter === 'bigint', `a parameter of type ${typeof parameter} cannot be bound`);
    return parameter;
  });
}
