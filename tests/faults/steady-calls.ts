import { Agent, request, type IncomingMessage } from 'node:http';
import { seededRandom, type Random } from '#world';
import { bounded } from './bounded.ts';

/** What a caller heard of one call. */
export type Heard = {
  /** The answer came whole: the JSON read, or the stream up to its last event. */
  readonly acknowledged: boolean;
  readonly upstreamId: string;
  readonly callId: string;
  /** From the header, or from a stream's closing comment. Exact decimal USD. */
  readonly cost: string;
  readonly error: string;
};

/** A call over plain HTTP: cheap enough for hundreds a second beside the gateway on the same machine. */
export type SteadyHeard = Heard & {
  readonly status: number;
  /** False when the answer says that it is in no ledger. */
  readonly recorded: boolean;
  /** The answer's text where it was refused. */
  readonly refusal: string;
  readonly latencyMs: number;
};

export type SteadyCalls = {
  readonly heard: readonly SteadyHeard[];
  /** Resolves when that many more calls have ended in a way that fits; rejects when they do not in time. */
  seen(count: number, fits?: (heard: SteadyHeard) => boolean): Promise<void>;
  /** Sends no more and waits for those under way. */
  stop(): Promise<readonly SteadyHeard[]>;
  /** Sends no more; nobody waits. */
  abandon(): void;
};

export type SteadyOptions = {
  /** Without `/v1`. */
  readonly url: string;
  readonly key: string;
  readonly perSecond: number;
  readonly seed: number;
};

const TICK_MS = 10;
const MOST_AT_ONCE = 400;
const CALL_TIMEOUT_MS = 60_000;

const LONGEST_WAIT_MS = 120_000;

type Watcher = { left: number; readonly fits: (heard: SteadyHeard) => boolean; readonly resolve: () => void };

/** Calls at an even pace, whatever becomes of them; half of them streams. A gateway that is down refuses them. */
export function startSteadyCalls(options: SteadyOptions): SteadyCalls {
  const agent = new Agent({ keepAlive: true, maxSockets: MOST_AT_ONCE });
  const random = seededRandom(options.seed);
  const heard: SteadyHeard[] = [];
  const watchers = new Set<Watcher>();
  const running = new Set<Promise<void>>();
  let number = 0;
  const tell = (one: SteadyHeard): void => {
    heard.push(one);
    for (const watcher of watchers) {
      if (!watcher.fits(one) || (watcher.left -= 1) > 0) continue;
      watchers.delete(watcher);
      watcher.resolve();
    }
  };
  const send = (): void => {
    number += 1;
    const call = makeCall({ ...options, agent, body: callBody(number, random) })
      .then(tell)
      .finally(() => running.delete(call));
    running.add(call);
  };
  const startedMs = performance.now();
  const sendDue = (): void => {
    const due = ((performance.now() - startedMs) / 1000) * options.perSecond;
    // Calls that find no room are made later, not left out.
    const room = MOST_AT_ONCE - running.size;
    for (let calls = Math.min(room, Math.floor(due) - number); calls > 0; calls -= 1) send();
  };
  const timer = setInterval(sendDue, TICK_MS);
  return {
    heard,
    seen: (count, fits = () => true) =>
      bounded(`${count} calls to end as expected`, LONGEST_WAIT_MS, (resolve) => {
        watchers.add({ left: count, fits, resolve });
      }),
    abandon: () => clearInterval(timer),
    stop: async () => {
      clearInterval(timer);
      await Promise.all(running);
      agent.destroy();
      return heard;
    },
  };
}

function callBody(number: number, random: Random): string {
  return JSON.stringify({
    model: random.pick(['gpt-4o', 'gpt-4o-mini', 'o3']),
    messages: [{ role: 'user', content: `seed=${random.between(1, 1_000_000)} delay=3 chunk_delay=1` }],
    max_completion_tokens: random.between(8, 500),
    tags: { feature: `feature-${random.between(1, 30)}`, env: 'production' },
    entity_type: 'customer',
    entity_id: `customer-${random.between(1, 300)}`,
    ...(number % 2 === 0 ? { stream: true } : {}),
  });
}

type Sent = Pick<SteadyOptions, 'url' | 'key'> & { readonly agent: Agent; readonly body: string };

async function makeCall({ url, key, agent, body }: Sent): Promise<SteadyHeard> {
  const startedMs = performance.now();
  const ended = (answer: Omit<SteadyHeard, 'latencyMs'>): SteadyHeard => ({
    ...answer,
    latencyMs: performance.now() - startedMs,
  });
  const headers = { authorization: `Bearer ${key}`, 'content-type': 'application/json' };
  const silent = { acknowledged: false, upstreamId: '', callId: '', cost: '', status: 0, recorded: true, refusal: '' };
  return new Promise((resolve) => {
    const signal = AbortSignal.timeout(CALL_TIMEOUT_MS);
    const call = request(`${url}/v1/chat/completions`, { method: 'POST', agent, headers, signal });
    call.once('error', (error) => resolve(ended({ ...silent, error: error.message })));
    call.once('response', (response) => {
      readAnswer(response).then(
        (answer) => resolve(ended(answer)),
        (error: unknown) => resolve(ended({ ...silent, error: String(error) })),
      );
    });
    call.end(body);
  });
}

const COST_COMMENT = /^: apportion-cost (\S+) /m;
const ANSWER_ID = /"id":"(chatcmpl-[^"]+)"/;

async function readAnswer(response: IncomingMessage): Promise<Omit<SteadyHeard, 'latencyMs'>> {
  let text = '';
  const error = await collect(response, (piece) => (text += piece)).then(
    () => '',
    (reason: unknown) => String(reason),
  );
  const { headers, statusCode: status = 0 } = response;
  const isStream = headers['content-type']?.startsWith('text/event-stream') === true;
  const whole = error === '' && status === 200 && (!isStream || text.includes('data: [DONE]'));
  return {
    acknowledged: whole,
    upstreamId: ANSWER_ID.exec(text)?.[1] ?? '',
    callId: String(headers['x-apportion-call-id'] ?? ''),
    cost: isStream ? (COST_COMMENT.exec(text)?.[1] ?? '') : String(headers['x-apportion-cost'] ?? ''),
    status,
    recorded: headers['x-apportion-recorded'] !== 'false',
    refusal: status === 200 ? '' : text,
    error: whole ? '' : error || (status === 200 ? 'the answer was cut' : `status ${status}`),
  };
}

async function collect(response: IncomingMessage, take: (piece: string) => void): Promise<void> {
  response.setEncoding('utf8');
  for await (const piece of response) take(String(piece));
}
