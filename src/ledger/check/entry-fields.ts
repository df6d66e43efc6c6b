import { COST_STATES, type CostState } from '#terms';
import { ENTRY_COLUMNS } from '../store/schema.ts';
import type { ChargeLine } from '../charge-line.ts';
import { ENTRY_SCHEMA } from '../entry.ts';

/**
 * An entry as the checks look at it. Read by a table of its own and not by `parseEntry`: it looks at every field, names the one that is
 * wrong, and takes 2 µs of the 40 that a schema takes (ten million entries are read).
 */
export type EntryFields = {
  readonly entryId: string;
  readonly callId: string;
  readonly attempt: number;
  readonly kind: string;
  readonly countsCall: number;
  readonly effectiveAt: number;
  readonly postedAt: number;
  readonly status: string;
  readonly provider: string;
  readonly state: CostState;
  readonly cost: bigint | null;
  readonly listCost: bigint | null;
  readonly billed: bigint | null;
  readonly computedCost: bigint | null;
  readonly reserved: bigint | null;
  readonly atRisk: bigint | null;
  readonly movedCost: bigint;
  readonly corrects: string;
  readonly resolves: string;
  readonly charges: readonly ChargeLine[];
  readonly meters: Readonly<Record<string, number>>;
  readonly otherUsage: string;
  readonly inputTokens: number;
  readonly outputTokens: number;
  readonly priceBook: string;
  readonly priceTerms: readonly string[];
  readonly tags: Readonly<Record<string, string>>;
  readonly tagProvenance: Readonly<Record<string, string>>;
};

type Fields = Readonly<Record<string, unknown>>;

const MONEY = /^-?\d{1,38}$/;

type Kind = { readonly shape: string; readonly fits: (value: unknown) => boolean };

const isText = (value: unknown): boolean => typeof value === 'string';
const isWhole = (value: unknown): boolean => Number.isSafeInteger(value);
const isMoney = (value: unknown): boolean => typeof value === 'string' && MONEY.test(value);

function isObjectOf(fits: (value: unknown) => boolean): Kind['fits'] {
  return (value) =>
    typeof value === 'object' && value !== null && !Array.isArray(value) && Object.values(value).every(fits);
}

const CHARGE_FIELDS: readonly (keyof ChargeLine)[] = ['meter', 'quantity', 'unit_amount', 'amount', 'price_row'];

function isChargeLine(value: unknown): boolean {
  if (typeof value !== 'object' || value === null) return false;
  const line: Fields = { ...value };
  return CHARGE_FIELDS.every((name) => isText(line[name])) && isMoney(line['amount']) && Number(line['unit_per']) > 0;
}

/** What a field holds, by the type of its column in the store. */
function kindOf(name: string, type: string): Kind {
  if (name === 'charges') return { shape: 'a list of price lines', fits: isListOf(isChargeLine) };
  if (type.includes('Int128'))
    return { shape: 'integer pico-dollars', fits: type.startsWith('Nullable') ? orNull(isMoney) : isMoney };
  if (type.startsWith('DateTime')) return { shape: 'an instant', fits: isInstant };
  if (type.startsWith('JSON') || type.endsWith(', String)'))
    return { shape: 'an object of texts', fits: isObjectOf(isText) };
  if (type.startsWith('Map')) return { shape: 'an object of numbers', fits: isObjectOf(Number.isFinite) };
  if (type.startsWith('Array(Tuple'))
    return { shape: 'a list of objects', fits: isListOf((item) => typeof item === 'object') };
  if (type.startsWith('Array')) return { shape: 'a list of texts', fits: isListOf(isText) };
  if (type.includes('String')) return { shape: 'a text', fits: isText };
  return { shape: 'a whole number', fits: type.startsWith('Nullable') ? orNull(isWhole) : isWhole };
}

function isListOf(fits: (value: unknown) => boolean): Kind['fits'] {
  return (value) => Array.isArray(value) && value.every(fits);
}

function orNull(fits: (value: unknown) => boolean): Kind['fits'] {
  return (value) => value === null || fits(value);
}

function isInstant(value: unknown): boolean {
  return typeof value === 'string' && !Number.isNaN(Date.parse(value));
}

/** What of a row is where it came from, and no field of the entry. */
const ORIGIN: ReadonlySet<string> = new Set(['node_id', 'seq']);

const KINDS = Object.entries<string>(ENTRY_COLUMNS)
  .filter(([name]) => !ORIGIN.has(name))
  .map(([name, type]) => ({ name, ...kindOf(name, type) }));

/** Fields that every released version wrote. Of the others, what is missing is empty. */
const REQUIRED: ReadonlySet<string> = new Set([
  'schema',
  'call_id',
  'attempt',
  'effective_at',
  'key_id',
  'tags',
  'provider',
  'model',
  'entry_id',
  'kind',
  'counts_call',
  'posted_at',
  'status',
  'meters',
  'input_tokens',
  'output_tokens',
  'charges',
  'cost',
  'cost_state',
]);

/** The entry, or what keeps it from being one. */
export function readFields(body: Buffer): EntryFields | { readonly problem: string } {
  let json: unknown;
  try {
    json = JSON.parse(body.toString());
  } catch (error) {
    return { problem: `it is no JSON: ${error instanceof Error ? error.message : String(error)}` };
  }
  if (typeof json !== 'object' || json === null || Array.isArray(json)) return { problem: 'it is no object' };
  const fields = json as Fields;
  for (const { name, shape, fits } of KINDS) {
    const value = fields[name];
    if (value === undefined ? REQUIRED.has(name) : !fits(value))
      return { problem: `${name} is ${value === undefined ? 'missing' : JSON.stringify(value)}, not ${shape}` };
  }
  const schema = numberOf(fields, 'schema');
  if (schema > ENTRY_SCHEMA)
    return { problem: `it is of schema ${schema}; this version knows those up to ${ENTRY_SCHEMA}` };
  const state = COST_STATES.find((one) => one === fields['cost_state']);
  if (state === undefined) return { problem: `cost_state is ${JSON.stringify(fields['cost_state'])}` };
  return fromFields(fields, state);
}

function fromFields(fields: Fields, state: CostState): EntryFields {
  return {
    entryId: textOf(fields, 'entry_id'),
    callId: textOf(fields, 'call_id'),
    attempt: numberOf(fields, 'attempt'),
    kind: textOf(fields, 'kind'),
    countsCall: numberOf(fields, 'counts_call'),
    effectiveAt: Date.parse(textOf(fields, 'effective_at')),
    postedAt: Date.parse(textOf(fields, 'posted_at')),
    status: textOf(fields, 'status'),
    provider: textOf(fields, 'provider'),
    state,
    cost: moneyOf(fields, 'cost'),
    listCost: moneyOf(fields, 'list_cost'),
    billed: moneyOf(fields, 'billed'),
    computedCost: moneyOf(fields, 'computed_cost'),
    reserved: moneyOf(fields, 'reserved'),
    atRisk: moneyOf(fields, 'at_risk'),
    movedCost: moneyOf(fields, 'moved_cost') ?? 0n,
    corrects: textOf(fields, 'corrects'),
    resolves: textOf(fields, 'resolves'),
    charges: fields['charges'] as readonly ChargeLine[],
    meters: fields['meters'] as Readonly<Record<string, number>>,
    otherUsage: textOf(fields, 'other_usage'),
    inputTokens: numberOf(fields, 'input_tokens'),
    outputTokens: numberOf(fields, 'output_tokens'),
    priceBook: textOf(fields, 'price_book'),
    priceTerms: (fields['price_terms'] ?? []) as readonly string[],
    tags: fields['tags'] as Readonly<Record<string, string>>,
    tagProvenance: (fields['tag_provenance'] ?? {}) as Readonly<Record<string, string>>,
  };
}

function textOf(fields: Fields, name: string): string {
  const value = fields[name];
  return typeof value === 'string' ? value : '';
}

function numberOf(fields: Fields, name: string): number {
  return Number(fields[name]);
}

function moneyOf(fields: Fields, name: string): bigint | null {
  const value = fields[name];
  return typeof value === 'string' ? BigInt(value) : null;
}
