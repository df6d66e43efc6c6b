import { METERS } from '#terms';
import type { PriceRow, RatePrice, Rates } from './price-row.ts';

/** One price row in two editions of a source. */
export type RowChange = {
  /** `openai/gpt-4o`, with its date and time of day where it has them. */
  readonly row: string;
  readonly kind: 'added' | 'removed' | 'changed';
  /** Every price and limit that is not the same; null where an edition does not have it. */
  readonly fields: readonly { readonly field: string; readonly before: string | null; readonly after: string | null }[];
};

/** What changes from one edition of a source to another; rows in the order of their names. */
export function diffRows(before: readonly PriceRow[], after: readonly PriceRow[]): RowChange[] {
  const [old, fresh] = [byPlace(before), byPlace(after)];
  const places = [...new Set([...old.keys(), ...fresh.keys()])].toSorted();
  return places.flatMap((row): RowChange[] => {
    const [was, is] = [old.get(row), fresh.get(row)];
    const fields = diffFields(readFields(was), readFields(is));
    if (was === undefined) return [{ row, kind: 'added', fields }];
    if (is === undefined) return [{ row, kind: 'removed', fields }];
    return fields.length === 0 ? [] : [{ row, kind: 'changed', fields }];
  });
}

/** The id of a seed row begins with the edition, which is what differs. */
function byPlace(rows: readonly PriceRow[]): ReadonlyMap<string, PriceRow> {
  return new Map(rows.map((row) => [row.id.replace(/^[^/]*@[^/]*\//, ''), row]));
}

function readFields(row: PriceRow | undefined): ReadonlyMap<string, string> {
  const fields = new Map<string, string>();
  if (row === undefined) return fields;
  addRates(fields, '', row.rates);
  for (const { op, threshold, rates } of row.tiers ?? [])
    addRates(fields, `${op === 'gt' ? '>' : '≥'} ${threshold}: `, rates);
  const names = row.match.map((match) => (match.kind === 'id' ? match.id : match.pattern)).toSorted();
  fields.set('names', names.join(' '));
  if (row.effectiveTo !== null) fields.set('until', new Date(row.effectiveTo).toISOString());
  if (row.contextWindow !== undefined) fields.set('context window', String(row.contextWindow));
  return fields;
}

function addRates(fields: Map<string, string>, prefix: string, rates: Rates): void {
  for (const meter of METERS) {
    const price = rates[meter];
    if (price !== undefined) fields.set(`${prefix}${meter}`, priceText(price));
  }
}

function priceText({ amount, per }: RatePrice): string {
  return per === 1_000_000 ? `${amount}/M` : `${amount}/${per}`;
}

function diffFields(before: ReadonlyMap<string, string>, after: ReadonlyMap<string, string>): RowChange['fields'] {
  return [...new Set([...before.keys(), ...after.keys()])].flatMap((field) => {
    const change = { field, before: before.get(field) ?? null, after: after.get(field) ?? null };
    return change.before === change.after ? [] : [change];
  });
}
