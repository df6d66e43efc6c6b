import assert from 'node:assert/strict';
import { join } from 'node:path';
import { readEntries } from '#ledger/read';
import { pico, until, type Attribution, type Gateway } from '#world';

/** The fields of a journal entry that the journeys look at. */
export type Recorded = {
  readonly seq: number;
  readonly entryId: string;
  readonly callId: string;
  readonly upstreamId: string;
  readonly status: string;
  readonly state: string;
  readonly cost: bigint | null;
  readonly atRisk: bigint | null;
  readonly model: string;
  readonly keyId: string;
  readonly tagsSent: readonly string[];
};

type WireEntry = {
  entry_id: string;
  call_id: string;
  upstream_id: string;
  status: string;
  cost_state: string;
  cost: string | null;
  at_risk: string | null;
  model: string;
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
      upstreamId: wire.upstream_id,
      status: wire.status,
      state: wire.cost_state,
      cost: wire.cost === null ? null : BigInt(wire.cost),
      atRisk: wire.at_risk === null ? null : BigInt(wire.at_risk),
      model: wire.model,
      keyId: wire.key_id,
      tagsSent: wire.tags_sent,
    };
  });
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
