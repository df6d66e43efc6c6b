import { closeEntry, closeInDoubt, openEntry, type AttemptStart } from '#ledger';
import type { Store } from '#ledger/store';
import { invariant, type TimestampMs } from '#std';
import { readBodyTags, resolveTags } from '#tags';
import { parseUsd, type CallId, type PicoUsd, type RatedCost } from '#terms';

/** A call as a report sees it: when, what it cost in USD, and the tag fields of its body. */
export type SeedCall = {
  readonly at: string;
  /** Null where its model had no price. */
  readonly cost: string | null;
  readonly body: Readonly<Record<string, unknown>>;
  readonly provider?: string;
  readonly model?: string;
  /** Of a call whose process died: what was reserved for it, in USD. */
  readonly lost?: string;
  /** The team of its key. */
  readonly team?: string;
};

/** Puts calls into a store, as the gateway writes them. Once per store. */
export async function storeCalls(store: Store, calls: readonly SeedCall[]): Promise<void> {
  const lines = calls.map((call, index) => Buffer.from(`{"node_id":"node","seq":${index + 1},${entryOf(call, index)}`));
  await store.insert({ nodeId: 'node', first: 1, last: lines.length, generation: 0, lines });
}

function entryOf(call: SeedCall, index: number): string {
  const { at, cost, body, provider = 'openai', model = 'gpt-4o', team = '' } = call;
  const fields = Object.fromEntries(Object.entries(body).map(([name, value]) => [name, JSON.stringify(value)]));
  const start: AttemptStart = {
    callId: `call_${String(index).padStart(32, '0')}` as CallId,
    attempt: 1,
    startedAt: Date.parse(at) as TimestampMs,
    cause: 'first',
    operation: 'chat',
    wire: 'openai.chat',
    stream: false,
    key: { id: 'key_1', name: 'first key', team, owner: '' },
    tags: resolveTags(new Map([['body', readBodyTags(fields).declaration]]), { keyTeam: team }),
    requestModel: model,
    route: '',
    provider,
    priceAs: provider,
    region: '',
    model,
    reserved: call.lost === undefined ? null : usd(call.lost),
  };
  if (call.lost !== undefined) return closeInDoubt(openEntry(start), start.startedAt, 'gateway_crashed').slice(1);
  const entry = closeEntry(openEntry(start), start, {
    endedAt: start.startedAt,
    status: 'ok',
    httpStatus: 200,
    errorCode: '',
    upstreamId: '',
    last: true,
    responseModel: model,
    latencyMs: 10,
    firstByteMs: null,
    usage: { meters: { input: 10 }, origin: 'reported', raw: '' },
    rated: ratedAt(cost),
    priceBook: 'book',
  });
  return entry.slice(1);
}

function ratedAt(cost: string | null): RatedCost {
  const common = { terms: [], charges: [] };
  if (cost === null) {
    const unknown = { cost: null, listCost: null, billed: null, computedCost: null };
    return { ...common, ...unknown, state: 'unpriced', unpricedMeters: ['input'], reason: 'model_without_price' };
  }
  const amount = usd(cost);
  const known = { cost: amount, listCost: amount, billed: amount, computedCost: amount };
  return { ...common, ...known, state: 'exact', unpricedMeters: [] };
}

function usd(text: string): PicoUsd {
  const amount = parseUsd(text);
  invariant(amount !== undefined, `${text} is an amount`);
  return amount;
}
