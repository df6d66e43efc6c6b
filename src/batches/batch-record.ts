import { z } from 'zod';
import type { TimestampMs } from '#std';
import { picoUsd, PROVENANCES, TAG_SOURCES, type CallId, type PicoUsd, type TagSet } from '#terms';
import type { AskedLine } from './asked-lines.ts';

export type BatchDialect = 'openai' | 'anthropic';

/** A batch that was created through us, with everything its lines' entries need: nobody can be asked later. */
export type BatchRecord = {
  /** The provider's id. */
  readonly batch: string;
  /** The configured provider. */
  readonly provider: string;
  readonly dialect: BatchDialect;
  /** What OpenAI's lines ask for (`/v1/chat/completions`); empty in Anthropic's. */
  readonly endpoint: string;
  /** Of the call that created it: its entry is in doubt until the results are in. */
  readonly callId: CallId;
  readonly attempt: number;
  readonly createdAt: TimestampMs;
  /** No line has an entry up to this number of the journal. */
  readonly afterSeq: number;
  readonly key: { readonly id: string; readonly name: string; readonly team: string; readonly owner: string };
  readonly tags: TagSet;
  readonly priceAs: string;
  readonly region: string;
  /** The most it can cost; null when nothing bounds it. */
  readonly reserved: PicoUsd | null;
  /** Null when the lines were not seen. */
  readonly lines: number | null;
};

/** What is known of one line before its result. */
export type LineRow = {
  readonly customId: string;
  readonly model: string;
  readonly reserved: PicoUsd | null;
  /** The line's own, resolved; null for those of the batch. */
  readonly tags: TagSet | null;
};

const text = z.string();
const money = z
  .string()
  .regex(/^\d+$/)
  .nullable()
  .transform((pico) => (pico === null ? null : picoUsd(BigInt(pico))));

const tagsSchema = z.object({
  entity: z.object({ type: text, id: text }).nullable(),
  session_id: text.nullable(),
  session_path: text.nullable(),
  trace_id: text.nullable(),
  dimensions: z.array(z.tuple([text, text, z.enum(PROVENANCES)])),
  labels: z.array(text),
  paths: z.array(text),
  conflicts: z.array(z.object({ key: text, value: text, source: z.enum(TAG_SOURCES) })),
  overflow: z.array(z.tuple([text, text])),
  sent: z.array(text),
});

type StoredTags = z.infer<typeof tagsSchema>;

function toStoredTags(tags: TagSet): StoredTags {
  return {
    entity: tags.entity,
    session_id: tags.sessionId,
    session_path: tags.sessionPath,
    trace_id: tags.traceId,
    dimensions: Array.from(tags.dimensions, ([key, { value, provenance }]) => [key, value, provenance]),
    labels: [...tags.labels],
    paths: [...tags.paths],
    conflicts: [...tags.conflicts],
    overflow: [...tags.overflow],
    sent: [...tags.sent],
  };
}

function fromStoredTags(stored: StoredTags): TagSet {
  return {
    entity: stored.entity,
    sessionId: stored.session_id,
    sessionPath: stored.session_path,
    traceId: stored.trace_id,
    dimensions: new Map(stored.dimensions.map(([key, value, provenance]) => [key, { value, provenance }])),
    labels: stored.labels,
    paths: stored.paths,
    conflicts: stored.conflicts,
    overflow: new Map(stored.overflow),
    sent: stored.sent,
    warnings: [],
  };
}

const recordSchema = z.object({
  version: z.literal(1),
  batch: text,
  provider: text,
  dialect: z.enum(['openai', 'anthropic']),
  endpoint: text,
  call_id: text,
  attempt: z.number(),
  created_at: z.number(),
  after_seq: z.number(),
  key: z.object({ id: text, name: text, team: text, owner: text }),
  tags: tagsSchema,
  price_as: text,
  region: text,
  reserved: money,
  lines: z.number().nullable(),
});

export function toRecordText(record: BatchRecord): string {
  const { callId, createdAt, afterSeq, priceAs, reserved, tags, ...same } = record;
  return JSON.stringify({
    version: 1,
    ...same,
    call_id: callId,
    created_at: createdAt,
    after_seq: afterSeq,
    tags: toStoredTags(tags),
    price_as: priceAs,
    reserved: reserved === null ? null : reserved.toString(),
  });
}

/** Throws what zod throws: a record of ours that does not fit is a bug, or of a newer version. */
export function parseRecord(json: string): BatchRecord {
  const { version: _version, ...record } = recordSchema.parse(JSON.parse(json));
  const { call_id, created_at, after_seq, price_as, tags, ...same } = record;
  return {
    ...same,
    callId: call_id as CallId,
    createdAt: created_at as TimestampMs,
    afterSeq: after_seq,
    priceAs: price_as,
    tags: fromStoredTags(tags),
  };
}

const rowSchema = z.object({ line: text, model: text, reserved: money, tags: z.number().nullable() });

/** Lines that say the same of tags share what it came to: a set is written once, before its first line. */
export function toRowsText(rows: Iterable<LineRow>): string {
  const sets = new Map<TagSet, number>();
  const texts: string[] = [];
  for (const { customId, model, reserved, tags } of rows) {
    if (tags !== null && !sets.has(tags)) {
      sets.set(tags, sets.size);
      texts.push(JSON.stringify({ set: toStoredTags(tags) }));
    }
    const set = tags === null ? null : sets.get(tags);
    texts.push(
      JSON.stringify({ line: customId, model, reserved: reserved === null ? null : `${reserved}`, tags: set }),
    );
  }
  return texts.map((line) => `${line}\n`).join('');
}

export function parseRows(texts: string): Map<string, LineRow> {
  const sets: TagSet[] = [];
  const rows = new Map<string, LineRow>();
  for (const line of texts.split('\n')) {
    if (line === '') continue;
    const json: unknown = JSON.parse(line);
    const set = setSchema.safeParse(json);
    if (set.success) {
      sets.push(fromStoredTags(set.data.set));
      continue;
    }
    const { line: customId, model, reserved, tags } = rowSchema.parse(json);
    rows.set(customId, { customId, model, reserved, tags: tags === null ? null : (sets[tags] ?? null) });
  }
  return rows;
}

const setSchema = z.object({ set: tagsSchema });

const askedSchema = z.object({
  id: text,
  model: text,
  input: z.number().nullable(),
  output: z.number().nullable(),
  n: z.number(),
  fields: z.record(text, text).nullable(),
});

/** The lines of an uploaded file, until a batch is made of them. */
export function toAskedText(lines: readonly AskedLine[]): string {
  return lines
    .map(({ customId: id, model, maxInputTokens: input, maxOutputTokens: output, choices: n, fields }) => {
      return `${JSON.stringify({ id, model, input, output, n, fields })}\n`;
    })
    .join('');
}

export function parseAsked(texts: string): AskedLine[] {
  const lines = texts.split('\n').filter((line) => line !== '');
  return lines.map((line) => {
    const { id, model, input, output, n, fields } = askedSchema.parse(JSON.parse(line));
    return { customId: id, model, maxInputTokens: input, maxOutputTokens: output, choices: n, fields };
  });
}
