import { createHash } from 'node:crypto';
import { makeCallId, type CallId, type Usage } from '#terms';
import { NO_QUIRKS, type AnswerFacts, type Quirks, type WireRequest } from '#wires';
import type { BatchRecord, LineRow } from './batch-record.ts';
import { ANTHROPIC_LINES, OPENAI_LINES, type LineKind } from './line-kinds.ts';

/** What became of one line. */
export type LineResult =
  | { readonly is: 'answered'; readonly customId: string; readonly kind: LineKind; readonly facts: AnswerFacts }
  | { readonly is: 'failed'; readonly customId: string; readonly httpStatus: number; readonly errorCode: string }
  /** It was never worked on: cancelled, or out of time. */
  | { readonly is: 'not_run'; readonly customId: string };

/** The tier of the price book's rows for batches. Answers in a batch's results do not say it, or call it the default one. */
export const BATCH_TIER = 'batch';

/** The calls of lines are named after batch and line, so that the same result read twice is seen to be the same. */
export function lineCallId({ provider, batch, createdAt }: BatchRecord, customId: string): CallId {
  const digest = createHash('sha256').update(`${provider}\n${batch}\n${customId}`).digest();
  return makeCallId(createdAt, digest);
}

/** Reads a line of a results file; null for what is none. @param quirks of the provider */
export function readResult(
  line: Buffer,
  { record, rows, quirks }: { record: BatchRecord; rows: ReadonlyMap<string, LineRow>; quirks: Quirks },
): LineResult | null {
  const json = objectOf(parse(line));
  const customId = json?.['custom_id'];
  if (json === null || typeof customId !== 'string') return null;
  const model = rows.get(customId)?.model ?? '';
  const read = { customId, model, quirks };
  return record.dialect === 'anthropic' ? anthropicResult(json, read) : openAiResult(json, record, read);
}

type Line = { readonly customId: string; readonly model: string; readonly quirks: Quirks };

/** OpenAI API reference, batch output: `response` with a status and a body, or `error` beside a null response. */
function openAiResult(json: Fields, { endpoint }: BatchRecord, line: Line): LineResult {
  const { customId } = line;
  const response = objectOf(json['response']);
  const error = objectOf(json['error']) ?? objectOf(objectOf(response?.['body'])?.['error']);
  const errorCode = textOf(error?.['code']);
  const status = response?.['status_code'];
  const kind = OPENAI_LINES.get(endpoint);
  if (typeof status === 'number' && status < 300 && kind !== undefined)
    return { is: 'answered', customId, kind, facts: factsOf(kind, response?.['body'], line) };
  if (errorCode === 'batch_expired' || errorCode === 'batch_cancelled') return { is: 'not_run', customId };
  const httpStatus = typeof status === 'number' ? status : 0;
  return { is: 'failed', customId, httpStatus, errorCode: errorCode === '' ? `http_${httpStatus}` : errorCode };
}

/** Anthropic API reference, message batch results: `succeeded`, `errored`, `canceled` or `expired`. */
function anthropicResult(json: Fields, line: Line): LineResult {
  const { customId } = line;
  const result = objectOf(json['result']);
  const type = textOf(result?.['type']);
  if (type === 'succeeded') {
    const facts = factsOf(ANTHROPIC_LINES, result?.['message'], line);
    return { is: 'answered', customId, kind: ANTHROPIC_LINES, facts };
  }
  if (type === 'canceled' || type === 'expired') return { is: 'not_run', customId };
  const error = objectOf(result?.['error']);
  const said = textOf(objectOf(error?.['error'])?.['type']) || textOf(error?.['type']);
  return { is: 'failed', customId, httpStatus: 0, errorCode: said === '' ? 'errored' : said };
}

function factsOf(kind: LineKind, body: unknown, { model, quirks }: Line): AnswerFacts {
  const request: WireRequest = {
    model,
    stream: false,
    wantsUsage: false,
    maxOutputTokens: null,
    choices: 1,
    maxInputTokens: null,
  };
  const context = { request, quirks: { ...NO_QUIRKS, ...quirks }, headers: {} };
  const facts = kind.wire.readAnswer(Buffer.from(JSON.stringify(body ?? null)), context);
  return facts.usage === null ? facts : { ...facts, usage: atBatchTier(facts.usage) };
}

function atBatchTier(usage: Usage): Usage {
  return { ...usage, serviceTier: BATCH_TIER };
}

type Fields = Readonly<Record<string, unknown>>;

function objectOf(value: unknown): Fields | null {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
    ? Object.fromEntries(Object.entries(value))
    : null;
}

function textOf(value: unknown): string {
  return typeof value === 'string' ? value : '';
}

function parse(line: Buffer): unknown {
  try {
    return JSON.parse(line.toString('utf8'));
  } catch {
    // A line that was cut off comes whole another time.
    return null;
  }
}
