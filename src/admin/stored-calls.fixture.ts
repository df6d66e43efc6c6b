import { closeEntry, openEntry, type AttemptStart } from '#ledger';
import type { Store } from '#ledger/store';
import { invariant, type TimestampMs } from '#std';
import { readBodyTags, resolveTags } from '#tags';
import { parseUsd, type CallId } from '#terms';

/** A call as a report sees it: when, what it cost in USD, and the tag fields of its body. */
export type SeedCall = {
  readonly at: string;
  readonly cost: string;
  readonly body: Readonly<Record<string, unknown>>;
};

/** Puts calls into a store, as the gateway writes them. Once per store. */
export async function storeCalls(store: Store, calls: readonly SeedCall[]): Promise<void> {
  const lines = calls.map((call, index) => Buffer.from(`{"node_id":"node","seq":${index + 1},${entryOf(call, index)}`));
  await store.insert({ nodeId: 'node', first: 1, last: lines.length, generation: 0, lines });
}

function entryOf({ at, cost, body }: SeedCall, index: number): string {
  const amount = parseUsd(cost);
  invariant(amount !== undefined, `${cost} is an amount`);
  const fields = Object.fromEntries(Object.entries(body).map(([name, value]) => [name, JSON.stringify(value)]));
  const start: AttemptStart = {
    callId: `call_${String(index).padStart(32, '0')}` as CallId,
    attempt: 1,
    startedAt: Date.parse(at) as TimestampMs,
    cause: 'first',
    operation: 'chat',
    wire: 'openai.chat',
    stream: false,
    key: { id: 'key_1', name: 'first key', team: '', owner: '' },
    tags: resolveTags(new Map([['body', readBodyTags(fields).declaration]]), { keyTeam: '' }),
    requestModel: 'gpt-4o',
    route: '',
    provider: 'openai',
    priceAs: 'openai',
    region: '',
    model: 'gpt-4o',
    reserved: null,
  };
  const entry = closeEntry(openEntry(start), start, {
    endedAt: start.startedAt,
    status: 'ok',
    httpStatus: 200,
    errorCode: '',
    upstreamId: '',
    last: true,
    responseModel: 'gpt-4o',
    latencyMs: 10,
    firstByteMs: null,
    usage: { meters: { input: 10 }, origin: 'reported', raw: '' },
    rated: {
      state: 'exact',
      cost: amount,
      listCost: amount,
      billed: amount,
      computedCost: amount,
      terms: [],
      charges: [],
      unpricedMeters: [],
    },
    priceBook: 'book',
  });
  return entry.slice(1);
}
