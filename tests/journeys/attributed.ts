import assert from 'node:assert/strict';
import { join } from 'node:path';
import { readEntries } from '#ledger/read';
import type { Gateway } from '#world';

/** What one call was attributed to and why, as its journal entry says. */
export type Attributed = {
  readonly callId: string;
  readonly operation: string;
  readonly stream: boolean;
  readonly entity: string;
  readonly sessionId: string;
  readonly sessionPath: string;
  readonly traceId: string;
  readonly tags: Readonly<Record<string, string>>;
  readonly provenance: Readonly<Record<string, string>>;
  readonly labels: readonly string[];
  readonly paths: readonly string[];
  readonly conflicts: readonly { readonly key: string; readonly value: string; readonly source: string }[];
  readonly overflow: Readonly<Record<string, string>>;
  readonly sent: readonly string[];
  readonly keyTeam: string;
  readonly upstreamId: string;
  readonly cost: bigint | null;
  readonly state: string;
  readonly status: string;
};

type WireEntry = {
  call_id: string;
  operation: string;
  stream: number;
  entity_type: string;
  entity_id: string;
  session_id: string;
  session_path: string;
  trace_id: string;
  tags: Record<string, string>;
  tag_provenance: Record<string, string>;
  labels: string[];
  paths: string[];
  tag_conflicts: { key: string; value: string; source: string }[];
  tags_overflow: Record<string, string>;
  tags_sent: string[];
  key_team: string;
  upstream_id: string;
  cost: string | null;
  cost_state: string;
  status: string;
};

/** Every entry of the journal, in order. */
export function allAttributed(dataDir: string): Attributed[] {
  return Array.from(readEntries(join(dataDir, 'journal')), ({ body }) => {
    const wire: WireEntry = JSON.parse(body.toString());
    return fromWireEntry(wire);
  });
}

export function attributed(gateway: Gateway, callId: string): Attributed {
  const found = allAttributed(gateway.dataDir).filter((entry) => entry.callId === callId);
  const [entry] = found;
  assert.ok(entry !== undefined && found.length === 1, `${callId} has ${found.length} entries`);
  return entry;
}

function fromWireEntry(wire: WireEntry): Attributed {
  return {
    callId: wire.call_id,
    operation: wire.operation,
    stream: wire.stream === 1,
    entity: wire.entity_type === '' ? '' : `${wire.entity_type}/${wire.entity_id}`,
    sessionId: wire.session_id,
    sessionPath: wire.session_path,
    traceId: wire.trace_id,
    tags: wire.tags,
    provenance: wire.tag_provenance,
    labels: wire.labels,
    paths: wire.paths,
    conflicts: wire.tag_conflicts,
    overflow: wire.tags_overflow,
    sent: wire.tags_sent,
    keyTeam: wire.key_team,
    upstreamId: wire.upstream_id,
    cost: wire.cost === null ? null : BigInt(wire.cost),
    state: wire.cost_state,
    status: wire.status,
  };
}

export type Sent = {
  readonly body: Readonly<Record<string, unknown>> | string;
  /** Default: the admin key. */
  readonly key?: string;
  readonly headers?: Readonly<Record<string, string>>;
  /** Default: `/v1/chat/completions`. */
  readonly path?: string;
};

export type Answered = {
  readonly status: number;
  readonly callId: string;
  readonly warnings: string;
  readonly headers: Headers;
  readonly text: string;
};

export async function send(gateway: Gateway, { body, key, headers, path }: Sent): Promise<Answered> {
  const answer = await fetch(`${gateway.url}${path ?? '/v1/chat/completions'}`, {
    method: 'POST',
    headers: { authorization: `Bearer ${key ?? gateway.adminKey}`, 'content-type': 'application/json', ...headers },
    body: typeof body === 'string' ? body : JSON.stringify(body),
  });
  return {
    status: answer.status,
    callId: answer.headers.get('x-apportion-call-id') ?? '',
    warnings: answer.headers.get('x-apportion-warnings') ?? '',
    headers: answer.headers,
    text: await answer.text(),
  };
}

/** A call that must succeed, and what it was attributed to. */
export async function sendTagged(gateway: Gateway, sent: Sent): Promise<Attributed & { readonly answer: Answered }> {
  const answer = await send(gateway, sent);
  assert.equal(answer.status, 200, answer.text);
  return { ...attributed(gateway, answer.callId), answer };
}

/** A call that must be refused: its status, code, and the field it names. */
export async function sendRefused(gateway: Gateway, sent: Sent): Promise<readonly [number, string, string | null]> {
  const answer = await send(gateway, sent);
  const { error }: { error: { code: string; param: string | null } } = JSON.parse(answer.text);
  return [answer.status, error.code, error.param];
}
