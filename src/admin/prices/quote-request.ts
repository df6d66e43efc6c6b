import { z } from 'zod';
import type { TimestampMs } from '#std';
import { ApportionError } from '#terms';
import { parseRequest } from '../parse-request.ts';

/** What is to be priced: usage as a provider states it, or messages whose tokens are estimated. */
export type QuotedUsage =
  | {
      readonly kind: 'stated';
      readonly wire: string;
      readonly usage: unknown;
      readonly events: readonly unknown[] | undefined;
      readonly context: Readonly<Record<string, unknown>>;
    }
  | { readonly kind: 'messages'; readonly body: Readonly<Record<string, unknown>> };

export type QuoteRequest = {
  readonly model: string;
  readonly provider: string | undefined;
  readonly quoted: QuotedUsage;
  readonly at: TimestampMs;
  readonly region: string | undefined;
  /** Who is charged on, for markups. */
  readonly payer: { readonly key: string; readonly team: string; readonly tags: Readonly<Record<string, string>> };
  /** Prices of the request's own in place of all others; undefined for those that hold. */
  readonly pricing: unknown;
};

const name = z.string().trim().min(1);
const object = z.record(z.string(), z.unknown());
const instant = z.union([z.iso.datetime({ offset: true }), z.iso.date()], 'a day or an instant');
const tokens = z.int().nonnegative();

const fields = z.strictObject({
  model: z.string().trim().default(''),
  provider: name.optional(),
  wire: name.optional(),
  usage: z.unknown().optional(),
  events: z.array(z.unknown()).optional(),
  context: object.optional(),
  messages: z.array(z.unknown()).min(1).optional(),
  max_tokens: tokens.optional(),
  max_completion_tokens: tokens.optional(),
  n: z.int().min(1).max(1000).optional(),
  pricing: object.optional(),
  at: instant.optional(),
  region: z.string().optional(),
  key: name.optional(),
  team: name.optional(),
  tags: z.record(z.string(), z.string()).optional(),
});

type Given = z.infer<typeof fields>;

const HINT = 'Send {"wire", "model", "usage"}, or {"model", "messages"}; docs/prices-api.md shows both.';

/** Throws `invalid_field` naming what is at fault. */
export function parseQuoteRequest(body: unknown, now: TimestampMs): QuoteRequest {
  const given = parseRequest(body ?? {}, { schema: fields, hint: HINT });
  return {
    model: given.model,
    provider: given.provider,
    quoted: given.messages === undefined ? readStated(given) : readMessages(given),
    at: readInstant(given, now),
    region: given.region,
    payer: { key: given.key ?? '', team: given.team ?? '', tags: given.tags ?? {} },
    pricing: given.pricing,
  };
}

function readStated(given: Given): QuotedUsage {
  if (given.usage === undefined && given.events === undefined) throw refuse('usage', 'there is nothing to price');
  if (given.usage !== undefined && given.events !== undefined) {
    throw refuse('events', 'usage and the events of a stream exclude each other');
  }
  if (given.wire === undefined) throw refuse('wire', 'the format of the usage is missing, such as "openai.chat"');
  const { wire, usage, events, context = {} } = given;
  return { kind: 'stated', wire, usage, events, context };
}

function readMessages(given: Given): QuotedUsage {
  for (const field of ['usage', 'events', 'context', 'wire'] as const)
    if (given[field] !== undefined) throw refuse(field, 'messages are estimated; usage is not');
  if (given.model === '') throw refuse('model', 'messages need the model they are for');
  const { model, messages, max_tokens, max_completion_tokens, n } = given;
  return { kind: 'messages', body: { model, messages, max_tokens, max_completion_tokens, n } };
}

/** Golden cases and entries have the instant beside what else decides the price. */
function readInstant({ at, context }: Given, now: TimestampMs): TimestampMs {
  const stated = at ?? context?.['at'];
  if (stated === undefined) return now;
  const read = instant.safeParse(stated);
  if (!read.success) throw refuse('context.at', 'it is no day or instant');
  return Date.parse(read.data) as TimestampMs;
}

function refuse(param: string, why: string): ApportionError {
  return new ApportionError('invalid_field', `${param}: ${why}.`, { param, hint: HINT });
}
