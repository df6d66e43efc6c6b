import { REPORTED, type Reported } from '#ledger/check';
import { invariant } from '#std';
import { parseUsd } from '#terms';

/** A report's answer, as far as it is compared: what each part and the total add up to. Money in pico-dollars. */
export type ReportFigures = {
  readonly groupBy: string;
  /** The last entry the report saw. */
  readonly seq: number;
  readonly nodeId: string;
  /** A call may be in several parts: they do not add up. */
  readonly overlapping: boolean;
  readonly parts: readonly Part[];
  readonly total: Measured;
};

export type Measured = ReadonlyMap<Reported, bigint>;

export type Part = { readonly value: string; readonly sums: Measured };

type Fields = Readonly<Record<string, unknown>>;

const MONEY: ReadonlySet<Reported> = new Set([
  'total_cost',
  'total_list_cost',
  'total_billed',
  'estimated_cost',
  'reported_cost',
  'partial_exact_cost',
  'at_risk',
  'sandbox_cost',
]);

/** An answer of `/v1/analytics/costs`, from a server or made here. Throws when it is none. */
export function parseReport(groupBy: string, json: unknown): ReportFigures {
  const answer = fieldsOf(json);
  const asOf = fieldsOf(answer['as_of']);
  const { data } = answer;
  invariant(Array.isArray(data), 'a report has rows');
  return {
    groupBy,
    seq: Number(asOf['seq']),
    nodeId: String(asOf['node_id']),
    overlapping: answer['overlapping'] === true,
    parts: data.map((row: unknown) => ({ value: String(fieldsOf(row)['value']), sums: measured(fieldsOf(row)) })),
    total: measured(fieldsOf(answer['summary'])),
  };
}

/** What to group by, from an answer of `/v1/analytics/dimensions`. */
export function parseDimensions(json: unknown): readonly string[] {
  const { data } = fieldsOf(json);
  invariant(Array.isArray(data), 'dimensions are listed');
  return data.map((one: unknown) => String(fieldsOf(one)['group_by']));
}

function measured(row: Fields): Measured {
  return new Map(REPORTED.map((name) => [name, MONEY.has(name) ? moneyOf(row, name) : countOf(row, name)]));
}

function moneyOf(row: Fields, name: Reported): bigint {
  const text = row[`${name}_exact`];
  const amount = typeof text === 'string' ? parseUsd(text) : undefined;
  invariant(amount !== undefined, `${name}_exact is an amount, got ${String(text)}`);
  return amount;
}

function countOf(row: Fields, name: Reported): bigint {
  const count = row[name];
  invariant(Number.isSafeInteger(count), `${name} is a count, got ${String(count)}`);
  return BigInt(Number(count));
}

function fieldsOf(json: unknown): Fields {
  invariant(typeof json === 'object' && json !== null, 'an answer is an object');
  return { ...json };
}
