import { z } from 'zod';
import { parseBudgetDuration, type Window } from '#budgets';
import { ApportionError } from '#terms';
import { parseDuration } from '../expiry.ts';

/** A window as the API writes it. */
export type WindowFields = Readonly<Record<string, string | number>>;

const UTC = 'UTC';

const zone = z.string().min(1).max(64).default(UTC);

const SHAPES = {
  hour: z.strictObject({ kind: z.literal('hour'), timezone: zone }),
  day: z.strictObject({ kind: z.literal('day'), count: z.int().default(1), timezone: zone }),
  week: z.strictObject({ kind: z.literal('week'), starts_on: z.int().default(1), timezone: zone }),
  month: z.strictObject({
    kind: z.literal('month'),
    count: z.int().default(1),
    starts_on: z.int().default(1),
    timezone: zone,
  }),
  year: z.strictObject({ kind: z.literal('year'), starts_on_month: z.int().default(1), timezone: zone }),
  fixed: z.strictObject({ kind: z.literal('fixed'), length: z.string() }),
  rolling: z.strictObject({ kind: z.literal('rolling'), length: z.string() }),
  total: z.strictObject({ kind: z.literal('total') }),
};

const schema = z.discriminatedUnion('kind', [
  SHAPES.hour,
  SHAPES.day,
  SHAPES.week,
  SHAPES.month,
  SHAPES.year,
  SHAPES.fixed,
  SHAPES.rolling,
  SHAPES.total,
]);

const KINDS = Object.keys(SHAPES).join(', ');

const HINT =
  'Send "month", "day", "30d", or an object such as {"kind": "month", "starts_on": 1, "timezone": "Europe/Berlin"}; docs/budgets-api.md.';

/** Reads a window: an object, the word for a usual one, or LiteLLM's text for its length. Throws `invalid_field`. */
export function parseWindow(given: unknown, param = 'window'): Window {
  if (typeof given === 'string') return windowOfText(given, param);
  const parsed = schema.safeParse(given);
  if (!parsed.success) {
    const [issue] = parsed.error.issues;
    const path = [param, ...(issue?.path ?? [])].join('.');
    const reason = given === undefined ? 'it is missing' : (issue?.message ?? 'not understood');
    const message = path === `${param}.kind` ? `one of ${KINDS}` : reason;
    throw new ApportionError('invalid_field', `${path}: ${message}.`, { param: path, hint: HINT });
  }
  return fromFields(parsed.data, param);
}

function windowOfText(text: string, param: string): Window {
  const named = schema.safeParse({ kind: text });
  if (named.success) return fromFields(named.data, param);
  const window = parseBudgetDuration(text, UTC);
  if (window !== undefined) return window;
  throw new ApportionError('invalid_field', `${param}: ${JSON.stringify(text)} is no window.`, { param, hint: HINT });
}

function fromFields(given: z.infer<typeof schema>, param: string): Window {
  switch (given.kind) {
    case 'hour':
      return { kind: given.kind, zone: given.timezone };
    case 'day':
      return { kind: given.kind, count: given.count, zone: given.timezone };
    case 'week':
      return { kind: given.kind, startsOn: given.starts_on, zone: given.timezone };
    case 'month':
      return { kind: given.kind, count: given.count, startsOn: given.starts_on, zone: given.timezone };
    case 'year':
      return { kind: given.kind, startsOnMonth: given.starts_on_month, zone: given.timezone };
    case 'fixed':
    case 'rolling':
      return { kind: given.kind, lengthMs: parseDuration(given.length, `${param}.length`) };
    case 'total':
      return { kind: given.kind };
  }
}

/** What `parseWindow` reads. */
export function toWindowFields(window: Window): WindowFields {
  switch (window.kind) {
    case 'hour':
      return { kind: window.kind, timezone: window.zone };
    case 'day':
      return { kind: window.kind, count: window.count, timezone: window.zone };
    case 'week':
      return { kind: window.kind, starts_on: window.startsOn, timezone: window.zone };
    case 'month':
      return { kind: window.kind, count: window.count, starts_on: window.startsOn, timezone: window.zone };
    case 'year':
      return { kind: window.kind, starts_on_month: window.startsOnMonth, timezone: window.zone };
    case 'fixed':
    case 'rolling':
      return { kind: window.kind, length: lengthText(window.lengthMs) };
    case 'total':
      return { kind: window.kind };
  }
}

const UNITS = [
  ['d', 86_400_000],
  ['h', 3_600_000],
  ['m', 60_000],
  ['s', 1000],
] as const;

function lengthText(ms: number): string {
  const [unit, size] = UNITS.find(([, one]) => ms % one === 0) ?? ['s', 1000];
  return `${ms / size}${unit}`;
}
