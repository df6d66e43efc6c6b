import assert from 'node:assert/strict';
import { join } from 'node:path';
import { readEntries } from '#ledger/read';
import { pico, until, type Attribution, type Gateway } from '#world';

/** The fields of a journal entry that the journeys look at. */
export type Recorded = {
  readonly seq: number;
  readonly entryId: string;
  readonly callId: string;
  readonly attempt: number;
  readonly cause: string;
  readonly countsCall: boolean;
  readonly operation: string;
  readonly stream: boolean;
  readonly route: string;
  readonly provider: string;
  readonly upstreamId: string;
  readonly status: string;
  readonly errorCode: string;
  readonly state: string;
  readonly reason: string;
  readonly cost: bigint | null;
  readonly listCost: bigint | null;
  readonly computedCost: bigint | null;
  readonly atRisk: bigint | null;
  /** The most the attempt could cost, decided before it was sent. */
  readonly reserved: bigint | null;
  readonly model: string;
  readonly responseModel: string;
  readonly meters: Readonly<Record<string, number>>;
  readonly usageOrigin: string;
  readonly charges: readonly RecordedCharge[];
  readonly tags: Readonly<Record<string, string>>;
  readonly keyId: string;
  readonly tagsSent: readonly string[];
};

export type RecordedCharge = {
  readonly meter: string;
  readonly quantity: bigint;
  readonly unitAmount: string;
  readonly unitPer: bigint;
  readonly amount: bigint;
};

type WireEntry = {
  entry_id: string;
  call_id: string;
  attempt: number;
  cause: string;
  counts_call: number;
  operation: string;
  stream: number;
  route: string;
  provider: string;
  upstream_id: string;
  status: string;
  error_code: string;
  cost_state: string;
  cost_reason: string;
  cost: string | null;
  list_cost: string | null;
  computed_cost: string | null;
  at_risk: string | null;
  reserved: string | null;
  model: string;
  response_model: string;
  meters: Record<string, number>;
  usage_origin: string;
  charges: { meter: string; quantity: string; unit_amount: string; unit_per: number; amount: string }[];
  tags: Record<string, string>;
  key_id: string;
  tags_sent: string[];
};

/** The ledger of record, read from its files as they lie on the disk. */
export function recorded(dataDir: string): Recorded[] {
  return Array.from(readEntries(join(dataDir, 'journal')), ({ seq, body }) => {
    const wire: WireEntry = JSON.parse(body.toString());
    return {
      seq,
      entryId: wire.entry_id,
      callId: wire.call_id,
      attempt: wire.attempt,
      cause: wire.cause,
      countsCall: wire.counts_call === 1,
      operation: wire.operation,
      stream: wire.stream === 1,
      route: wire.route,
      provider: wire.provider,
      upstreamId: wire.upstream_id,
      status: wire.status,
      errorCode: wire.error_code,
      state: wire.cost_state,
      reason: wire.cost_reason,
      cost: picoOrNull(wire.cost),
      listCost: picoOrNull(wire.list_cost),
      computedCost: picoOrNull(wire.computed_cost),
      atRisk: picoOrNull(wire.at_risk),
      reserved: picoOrNull(wire.reserved),
      model: wire.model,
      responseModel: wire.response_model,
      meters: wire.meters,
      usageOrigin: wire.usage_origin,
      charges: wire.charges.map((charge) => ({
        meter: charge.meter,
        quantity: BigInt(charge.quantity),
        unitAmount: charge.unit_amount,
        unitPer: BigInt(charge.unit_per),
        amount: BigInt(charge.amount),
      })),
      tags: wire.tags,
      keyId: wire.key_id,
      tagsSent: wire.tags_sent,
    };
  });
}

function picoOrNull(text: string | null): bigint | null {
  return text === null ? null : BigInt(text);
}

export type ReportRow = {
  readonly value: string;
  readonly untagged: boolean;
  readonly total_cost_exact: string;
  readonly total_events: number;
  readonly [field: string]: unknown;
};

export type Report = {
  readonly data: readonly ReportRow[];
  readonly summary: {
    readonly total_cost_exact: string;
    readonly total_events: number;
    readonly unpriced_events: number;
    readonly in_doubt_events: number;
    readonly at_risk_exact: string;
  };
  readonly as_of: { readonly seq: number };
};

/** A report over everything, as a client gets it. */
export async function report(gateway: Gateway, query: Readonly<Record<string, string>> = {}): Promise<Report> {
  const parameters = new URLSearchParams({ start_date: '2020-01-01', ...query }).toString();
  return JSON.parse(await ask(gateway, `/v1/analytics/costs?${parameters}`));
}

export async function ask(gateway: Gateway, path: string): Promise<string> {
  const answer = await fetch(`${gateway.url}${path}`, { headers: { authorization: `Bearer ${gateway.adminKey}` } });
  const text = await answer.text();
  assert.equal(answer.status, 200, `${path}: ${text}`);
  return text;
}

/** Waits until the store has everything the journal holds by now. */
export async function whenStored(gateway: Gateway): Promise<Recorded[]> {
  const entries = recorded(gateway.dataDir);
  const last = entries.at(-1)?.seq ?? 0;
  await until(`the store to reach entry ${last}`, 60_000, async () => {
    const { as_of: asOf } = await report(gateway);
    return asOf.seq >= last ? true : undefined;
  });
  return entries;
}

export type Sum = { cost: bigint; events: number };

/** What a breakdown must say, from attributed costs: `groupsOf` names the rows a call belongs in; none is `(untagged)`. */
export function expectedRows(
  calls: readonly { readonly attribution: Attribution; readonly cost: bigint }[],
  groupsOf: (attribution: Attribution) => readonly string[],
): Map<string, Sum> {
  const rows = new Map<string, Sum>();
  for (const { attribution, cost } of calls) {
    const groups = new Set(groupsOf(attribution));
    for (const group of groups.size === 0 ? ['(untagged)'] : groups) {
      const row = rows.get(group) ?? { cost: 0n, events: 0 };
      rows.set(group, { cost: row.cost + cost, events: row.events + 1 });
    }
  }
  return rows;
}

/** A report's rows by their value; rows of nothing are left out, as an expectation has none. */
export function reportedRows(data: readonly ReportRow[]): Map<string, Sum> {
  return new Map(
    data
      .filter((row) => row.total_events > 0)
      .map((row) => [row.value, { cost: pico(row.total_cost_exact), events: row.total_events }]),
  );
}

export async function makeKey(
  gateway: Gateway,
  request: Readonly<Record<string, unknown>>,
): Promise<Record<string, unknown> & { key: string }> {
  const answer = await fetch(`${gateway.url}/key/generate`, {
    method: 'POST',
    headers: { authorization: `Bearer ${gateway.adminKey}`, 'content-type': 'application/json' },
    body: JSON.stringify(request),
  });
  const text = await answer.text();
  assert.equal(answer.status, 200, text);
  return JSON.parse(text);
}
