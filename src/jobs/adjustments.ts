import type { StoreReader } from '#analytics';
import { adjustmentEntry, parseEntry, statementOf, type EntryRecord } from '#ledger';
import { ENTRIES, fromRowEntry, STORED_ENTRY_COLUMNS } from '#ledger/store';
import { ApportionError, formatUsd } from '#terms';
import { toWireAdjustment } from './adjustment-record.ts';
import type {
  AdjustmentListRequest,
  AdjustmentRequest,
  Adjustments,
  WireAdjustment,
  WireAdjustmentList,
} from './adjustment-request.ts';
import { subjectOf, type AdjustmentDeps } from './adjustment-subject.ts';
import { audited } from './audited.ts';
import { UP_TO, upTo } from './entry-standings.ts';

export function createAdjustments(deps: AdjustmentDeps): Adjustments {
  return {
    add: (request) => deps.inTurn(() => add(deps, request)),
    list: (request) => list(deps.store, request),
  };
}

type Row = Readonly<Record<string, unknown>>;

/** Looked for among everything durable: what a crash left in the journal is found when it is asked for again. */
async function add(deps: AdjustmentDeps, request: AdjustmentRequest): Promise<WireAdjustment> {
  await deps.untilStored();
  const booked = await findBooked(deps.store, request.idempotencyKey);
  const made = await makeEntry(deps, request, booked);
  if (booked !== undefined) return sameAs(booked, made, request);
  return audited(
    deps,
    { actor: request.actor, action: 'adjustment', target: made.entryId, detail: detailOf(made, request) },
    {
      work: async () => {
        await deps.append([{ id: made.entryId, body: JSON.stringify(made.fields) }]);
        // Who asks for a report next finds what was said to be done.
        await deps.untilStored();
        return toWireAdjustment(made);
      },
      outcome: ({ recorded_at }) => ({ recorded_at }),
    },
  );
}

async function findBooked(store: StoreReader, idempotencyKey: string): Promise<EntryRecord | undefined> {
  const [row] = await store.query<Row>(
    `SELECT ${STORED_ENTRY_COLUMNS} FROM ${ENTRIES}
      WHERE kind = 'adjustment' AND ${UP_TO} AND JSONExtractString(usage_raw, 'idempotency_key') = {key:String} LIMIT 1`,
    { ...upTo(store.asOf()), key: idempotencyKey },
  );
  return row === undefined ? undefined : fromRowEntry(row);
}

/** @param booked what stands under the same key: then as the second one of it would be, to compare them */
async function makeEntry(
  deps: AdjustmentDeps,
  request: AdjustmentRequest,
  booked: EntryRecord | undefined,
): Promise<EntryRecord> {
  const { entry } = adjustmentEntry({
    subject: await subjectOf(deps, request),
    amount: request.amount,
    moves: request.moves,
    statement: { key: request.idempotencyKey, actor: request.actor, reason: request.reason },
    postedAt: deps.clock.now(),
  });
  const made = parseEntry(JSON.parse(entry));
  const isNow = request.about.kind === 'dimensions' && request.about.effectiveAt === null;
  return booked !== undefined && isNow ? { ...made, effectiveAt: booked.effectiveAt } : made;
}

/** What must be the same of two adjustments under one key; what a key is called, and who asked, may have changed since. */
const COMPARED = [
  'corrects',
  'cost',
  'billed',
  'list_cost',
  'entity_type',
  'entity_id',
  'tags',
  'labels',
  'paths',
  'provider',
  'model',
  'key_id',
] as const;

const API_NAMES: Readonly<Partial<Record<(typeof COMPARED)[number], string>>> = {
  corrects: 'entry_id',
  cost: 'amount_usd',
  billed: 'amount_usd',
  list_cost: 'amount_usd',
};

function sameAs(booked: EntryRecord, made: EntryRecord, { idempotencyKey }: AdjustmentRequest): WireAdjustment {
  const field = COMPARED.find((name) => sorted(booked.fields[name]) !== sorted(made.fields[name]));
  const other =
    field !== undefined
      ? (API_NAMES[field] ?? field)
      : booked.effectiveAt !== made.effectiveAt
        ? 'effective_at'
        : statementOf(booked.usageRaw).reason === statementOf(made.usageRaw).reason
          ? null
          : 'reason';
  if (other === null) return toWireAdjustment(booked);
  throw new ApportionError(
    'conflict',
    `Another adjustment is booked under "${idempotencyKey}": its ${other} differs.`,
    {
      param: 'idempotency_key',
      hint: `It is ${booked.entryId}. Send a new key for another adjustment; to take that one back, book its amount with the other sign.`,
    },
  );
}

/** As text, whatever order the tags of an object came in. */
function sorted(value: unknown): string {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return JSON.stringify(value);
  return JSON.stringify(Object.entries(value).toSorted(([left], [right]) => (left < right ? -1 : 1)));
}

function detailOf(made: EntryRecord, request: AdjustmentRequest): Readonly<Record<string, unknown>> {
  return {
    amount_usd: formatUsd(request.amount),
    fields: request.moves,
    reason: request.reason,
    idempotency_key: request.idempotencyKey,
    entry_id: made.corrects === '' ? null : made.corrects,
    effective_at: new Date(made.effectiveAt).toISOString(),
  };
}

async function list(store: StoreReader, request: AdjustmentListRequest): Promise<WireAdjustmentList> {
  const { limit, callId } = request;
  const place = request.cursor === null ? null : parseCursor(request.cursor);
  const rows = await store.query<Row>(
    `SELECT ${STORED_ENTRY_COLUMNS} FROM ${ENTRIES} WHERE kind = 'adjustment' AND ${UP_TO}
      ${callId === null ? '' : 'AND call_id = {call:String}'}
      ${place === null ? '' : 'AND (toUnixTimestamp64Milli(posted_at), entry_id) < ({at:Int64}, {id:String})'}
      ORDER BY toUnixTimestamp64Milli(posted_at) DESC, entry_id DESC LIMIT {most:UInt32}`,
    { ...upTo(store.asOf()), most: limit + 1, ...(callId === null ? {} : { call: callId }), ...place },
  );
  const data = rows.slice(0, limit).map((row) => toWireAdjustment(fromRowEntry(row)));
  const last = data.at(-1);
  const more = rows.length > limit && last !== undefined;
  return { object: 'list', data, has_more: more, next_cursor: more ? cursorOf(last) : null };
}

function cursorOf({ recorded_at, id }: WireAdjustment): string {
  return `${Date.parse(recorded_at)}_${id}`;
}

function parseCursor(cursor: string): { readonly at: number; readonly id: string } {
  const [, at, id] = /^(\d{1,15})_(.{1,200})$/.exec(cursor) ?? [];
  if (at !== undefined && id !== undefined) return { at: Number(at), id };
  throw new ApportionError('invalid_query', '"cursor" is none of this list.', {
    param: 'cursor',
    hint: 'Give the next_cursor of the page before, or leave it out.',
  });
}
