import { invariant, type TimestampMs } from '#std';
import { picoUsd, PROVENANCES, type Dimension, type PicoUsd, type Provenance } from '#terms';
import type { ScopedCall } from '#budgets';

/** What an intent says of the attempt it begins, as far as budgets and limits look. */
export type IntentFacts = {
  /** `<call>.<attempt>` */
  readonly attempt: string;
  readonly callId: string;
  readonly call: ScopedCall;
  /** The attempt's start. */
  readonly at: TimestampMs;
  /** The provable bound of its cost; null when there is none. */
  readonly reserved: PicoUsd | null;
};

/** What an entry says beyond its intent. */
export type EntryFacts = IntentFacts & {
  /** `attempt`, or what is said of one later: `correction`, `adjustment`, … */
  readonly kind: string;
  readonly cost: PicoUsd | null;
  readonly tokens: number;
  readonly countsCall: boolean;
};

/** The one reading of intents and entries for counters: what is admitted, what is counted and what is replayed cannot differ. */
export function readIntentFacts(text: string): IntentFacts {
  return intentFacts(JSON.parse(text));
}

export function readEntryFacts(text: string): EntryFacts {
  const json = fieldsOf(JSON.parse(text));
  return {
    ...intentFacts(json),
    kind: textOf(json, 'kind'),
    cost: moneyOf(json, 'cost'),
    tokens: Math.max(0, numberOf(json, 'input_tokens') + numberOf(json, 'output_tokens')),
    countsCall: numberOf(json, 'counts_call') === 1,
  };
}

type Fields = Readonly<Record<string, unknown>>;

function intentFacts(given: unknown): IntentFacts {
  const json = fieldsOf(given);
  const callId = textOf(json, 'call_id');
  return {
    attempt: `${callId}.${numberOf(json, 'attempt')}`,
    callId,
    at: Date.parse(textOf(json, 'effective_at')) as TimestampMs,
    reserved: moneyOf(json, 'reserved'),
    call: {
      key: textOf(json, 'key_id'),
      team: textOf(json, 'key_team'),
      owner: textOf(json, 'key_owner'),
      model: textOf(json, 'model'),
      provider: textOf(json, 'provider'),
      route: textOf(json, 'route'),
      tags: {
        dimensions: dimensionsOf(fieldsOf(json['tags'] ?? {}), fieldsOf(json['tag_provenance'] ?? {})),
        labels: textsOf(json, 'labels'),
        paths: textsOf(json, 'paths'),
      },
    },
  };
}

function fieldsOf(value: unknown): Fields {
  invariant(typeof value === 'object' && value !== null, 'an entry is made of JSON objects');
  return value as Fields;
}

/** Of rows older than a field, the field is empty. */
function textOf(json: Fields, name: string): string {
  const value = json[name];
  return typeof value === 'string' ? value : '';
}

function numberOf(json: Fields, name: string): number {
  const value = json[name];
  return typeof value === 'number' ? value : 0;
}

function textsOf(json: Fields, name: string): readonly string[] {
  const value = json[name];
  return Array.isArray(value) ? value.filter((one) => typeof one === 'string') : [];
}

function moneyOf(json: Fields, name: string): PicoUsd | null {
  const value = json[name];
  if (value === null || value === undefined) return null;
  invariant(typeof value === 'string', `the field ${name} of an entry is money as text`);
  return picoUsd(BigInt(value));
}

function dimensionsOf(tags: Fields, provenance: Fields): ReadonlyMap<string, Dimension> {
  const dimensions = new Map<string, Dimension>();
  for (const [key, value] of Object.entries(tags))
    if (typeof value === 'string') dimensions.set(key, { value, provenance: provenanceOf(provenance[key]) });
  return dimensions;
}

/** What nobody vouched for was declared. */
function provenanceOf(value: unknown): Provenance {
  return PROVENANCES.find((one) => one === value) ?? 'declared';
}
