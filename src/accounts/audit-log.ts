import { type Selectable } from 'kysely';
import { invariant, type Clock, type TimestampMs } from '#std';
import { ApportionError } from '#terms';
import { type AuditLogTable } from './database.ts';
import { type ControlQueries } from './key-table.ts';
import { makeAuditId, type RandomBytes } from './token.ts';

/** The actor where nobody is named. */
export const ITSELF = 'server';

/** What somebody did to money, or to those who may see or spend it: `price.create`, `reprice.apply`, `key.generate`, `member.update`, … */
export type AuditEvent = {
  /** `admin_key`, `dashboard` for a session that began with it, or the id of a member. */
  readonly actor: string;
  readonly action: string;
  /** The id of what was acted on; empty where there is none. */
  readonly target: string;
  readonly detail: Readonly<Record<string, unknown>>;
};

export type AuditRecord = AuditEvent & { readonly id: string; readonly at: TimestampMs };

export type AuditPage = { readonly records: readonly AuditRecord[]; readonly nextCursor: string | null };

export type AuditLogDeps = {
  readonly database: ControlQueries;
  readonly clock: Clock;
  readonly random: RandomBytes;
};

/** Who changed what about money, keys and people, and when. Rows are only ever added. */
export class AuditLog {
  readonly #deps: AuditLogDeps;
  #last = 0;
  #nth = 0;

  constructor(deps: AuditLogDeps) {
    this.#deps = deps;
  }

  /** @param queries the transaction of what is recorded, so that neither is there without the other */
  async record(event: AuditEvent, queries: ControlQueries = this.#deps.database): Promise<AuditRecord> {
    const { clock, random } = this.#deps;
    const at = clock.now();
    this.#nth = at === this.#last ? this.#nth + 1 : 0;
    this.#last = at;
    const record: AuditRecord = { id: makeAuditId(at, this.#nth, random), at, ...event };
    await queries.insertInto('audit_log').values(toRow(record)).execute();
    return record;
  }

  /** Newest first. @param page.cursor the id of the last record of the page before */
  async list(page: { readonly limit: number; readonly cursor: string | null }): Promise<AuditPage> {
    const rows = await this.#deps.database
      .selectFrom('audit_log')
      .selectAll()
      .$if(page.cursor !== null, (query) => query.where('id', '<', parseCursor(page.cursor ?? '')))
      .orderBy('id', 'desc')
      .limit(page.limit + 1)
      .execute();
    const records = rows.slice(0, page.limit).map(fromRow);
    return { records, nextCursor: rows.length > page.limit ? (records.at(-1)?.id ?? null) : null };
  }
}

function parseCursor(cursor: string): string {
  if (/^audit_[0-9a-f]{32}$/.test(cursor)) return cursor;
  throw new ApportionError('invalid_query', '"cursor" is none of this list.', {
    param: 'cursor',
    hint: 'Give the next_cursor of the page before, or leave it out.',
  });
}

function toRow(record: AuditRecord): Selectable<AuditLogTable> {
  return {
    id: record.id,
    at: record.at,
    actor: record.actor,
    action: record.action,
    target: record.target,
    detail: JSON.stringify(record.detail),
  };
}

function fromRow(row: Selectable<AuditLogTable>): AuditRecord {
  const detail: unknown = JSON.parse(row.detail);
  invariant(typeof detail === 'object' && detail !== null, `the detail of ${row.id} is not an object`);
  return {
    id: row.id,
    at: Number(row.at) as TimestampMs,
    actor: row.actor,
    action: row.action,
    target: row.target,
    detail: { ...detail },
  };
}
