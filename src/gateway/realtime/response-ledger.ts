import { closeEntry, openEntry, type AttemptEnd, type AttemptStart } from '#ledger';
import {
  inputTokens,
  makeCallId,
  outputTokens,
  ZERO_USD,
  type ApportionError,
  type PicoUsd,
  type RatedCost,
  type TagSet,
  type Usage,
} from '#terms';
import { USAGE_READERS } from '#wires';
import { refusalOf } from '../admission.ts';
import type { CallDeps } from '../call.ts';
import type { Caller } from '../identify.ts';
import { pricedAttempt } from '../meter.ts';
import type { Step } from '../route/itinerary.ts';
import type { RoutedCall } from '../routes.ts';
import { objectOf, textOf, type Fields } from './events.ts';

/** Who talks to whom, for the life of a connection. */
export type Dialogue = {
  readonly caller: Caller;
  readonly routed: RoutedCall;
  readonly step: Step;
  /** The model as the caller wrote it, and the route it named. */
  readonly requestModel: string;
  readonly route: string;
};

/** A response that was asked for, or that the provider has begun. */
type Running = {
  readonly eventId: string;
  readonly start: AttemptStart;
  readonly open: string;
  readonly startedMs: number;
  readonly took: boolean;
};

export type Asked = { readonly eventId: string; readonly tags: TagSet; readonly maxOutputTokens: number | null };

type Turned = { readonly problem: ApportionError; readonly refused: Running };

/** The largest context of a realtime model (OpenAI models page: 128,000 tokens); a dialogue beyond it is cut by the provider. */
const MOST_CONTEXT_TOKENS = 131_072;

/** Instructions and templates of the provider's own. */
const BEYOND_BYTES_TOKENS = 1_000;

/** What a spoken turn usually takes, where only a likely amount is asked for. */
const USUAL = { inputTokens: 1_000, outputTokens: 500, n: 1 };

/**
 * The entries of one dialogue: each response has one, from its admission on, and each transcription of what was heard. What runs when
 * a side is lost is in doubt, with the money at risk.
 */
export class ResponseLedger {
  readonly #deps: CallDeps;
  readonly #dialogue: Dialogue;
  /** Sent up, and not begun yet, in order. */
  #asked: Running[] = [];
  readonly #running = new Map<string, Running>();
  /** Everything that was said either way: no context has more tokens than bytes. */
  bytes = 0;
  /** Something was referred to that has a size of its own: a picture, a stored prompt, a tool elsewhere. */
  boundless = false;
  /** As the provider calls what answers; empty before it said so. */
  model = '';
  transcriptionModel = '';

  constructor(deps: CallDeps, dialogue: Dialogue) {
    this.#deps = deps;
    this.#dialogue = dialogue;
  }

  get isIdle(): boolean {
    return this.#asked.length === 0 && this.#running.size === 0;
  }

  /** reserve: before a response is asked for. Null when it is admitted; it is then `begun`, `refused` or `lost`. */
  async ask(asked: Asked): Promise<ApportionError | null> {
    const admitted = await this.#admit(asked);
    if ('problem' in admitted) return admitted.problem;
    this.#asked.push(admitted);
    return null;
  }

  /** The provider has begun a response: one that was asked for, or one of its own accord, which is admitted now. */
  async begun(responseId: string, unasked: Omit<Asked, 'eventId'>): Promise<ApportionError | null> {
    const asked = this.#asked.shift();
    if (asked !== undefined) {
      this.#running.set(responseId, asked);
      return null;
    }
    const admitted = await this.#admit({ eventId: '', ...unasked });
    // What is refused runs until it is cancelled, and what it costs by then is owed.
    this.#running.set(responseId, 'problem' in admitted ? admitted.refused : admitted);
    return 'problem' in admitted ? admitted.problem : null;
  }

  /** The provider did not take what was sent with this id. */
  async refused(eventId: string, code: string): Promise<void> {
    const refused = this.#asked.find((one) => one.eventId === eventId);
    if (refused === undefined) return;
    this.#asked = this.#asked.filter((one) => one !== refused);
    await this.#settle(refused, { status: 'upstream_error', errorCode: code, rated: NOT_BILLED });
  }

  /** Resolves when the entry of a response that ended is on disk. */
  async done(response: Fields, tags: TagSet): Promise<void> {
    const id = textOf(response['id']);
    const running = this.#running.get(id) ?? this.#unadmitted(tags);
    this.#running.delete(id);
    const usage =
      USAGE_READERS['openai.realtime']?.(response['usage'], { quirks: this.#dialogue.step.upstream.quirks }) ?? null;
    const said = textOf(response['status']);
    const details = objectOf(objectOf(response['status_details'])?.['error']);
    const errorCode = said === 'failed' ? textOf(details?.['code']) || 'error_in_answer' : '';
    const status = said === 'failed' ? 'upstream_error' : said === 'cancelled' ? 'client_closed' : 'ok';
    const rated = usage === null ? (said === 'failed' ? NOT_BILLED : UNTOLD) : this.#priced(running, usage);
    await this.#settle(running, { status, errorCode, rated, usage, upstreamId: id });
  }

  /** What was heard was written down, which is billed at the transcribing model's price. */
  async transcribed(event: Fields, tags: TagSet): Promise<void> {
    const usage =
      USAGE_READERS['openai.transcription']?.(event['usage'], { quirks: this.#dialogue.step.upstream.quirks }) ?? null;
    if (usage === null) return;
    const one = this.#unadmitted(tags, {
      operation: 'transcription',
      wire: 'openai.transcription',
      model: this.transcriptionModel,
    });
    await this.#settle(one, {
      status: 'ok',
      errorCode: '',
      rated: this.#priced(one, usage),
      usage,
      upstreamId: textOf(event['item_id']),
    });
  }

  /** A side is gone: whatever was asked for or runs may be billed. */
  async lost(errorCode: string): Promise<void> {
    const left = [...this.#asked, ...this.#running.values()];
    this.#asked = [];
    this.#running.clear();
    for (const one of left) await this.#settle(one, { status: 'upstream_broken', errorCode, rated: LOST });
  }

  async #admit({ eventId, tags, maxOutputTokens }: Asked): Promise<Running | Turned> {
    const { recording, governor, prices } = this.#deps;
    const one = this.#started(eventId, tags, { reserve: { maxOutputTokens } });
    const { start } = one;
    const { step, routed } = this.#dialogue;
    const expected = start.reserved === null ? null : prices().bound(pricedAttempt({ step, start }), USUAL);
    const takes = governor.limits ? { tokens: USUAL.inputTokens + USUAL.outputTokens, usd: expected } : null;
    const wish = governor.governs ? { expected, takes } : { expected: null, takes: null };
    const reservation = await recording.reserve(`${start.callId}.1`, one.open, wish);
    if (reservation.kind !== 'admitted')
      return { problem: refusalOf(this.#deps, { routed, step, start }, reservation), refused: one };
    return { ...one, took: wish.takes !== null };
  }

  /** Nobody was asked about it: it is recorded all the same. */
  #unadmitted(tags: TagSet, changes: Partial<Pick<AttemptStart, 'operation' | 'wire' | 'model'>> = {}): Running {
    return this.#started('', tags, { changes });
  }

  #started(
    eventId: string,
    tags: TagSet,
    {
      changes = {},
      reserve,
    }: { changes?: Partial<AttemptStart>; reserve?: { readonly maxOutputTokens: number | null } },
  ): Running {
    const { clock, random, prices } = this.#deps;
    const { caller, step, requestModel, route } = this.#dialogue;
    const { upstream } = step;
    const startedAt = clock.now();
    const unbounded: Omit<AttemptStart, 'reserved'> = {
      callId: makeCallId(startedAt, random(10)),
      attempt: 1,
      startedAt,
      cause: 'first',
      operation: 'realtime',
      wire: 'openai.realtime',
      stream: true,
      key: { id: caller.id, name: caller.name, team: caller.team, owner: caller.owner },
      tags,
      requestModel,
      route,
      provider: upstream.name,
      priceAs: upstream.priceAs,
      region: upstream.region,
      model: step.model,
      ...changes,
    };
    const bounded = reserve !== undefined && !this.boundless;
    const bound = { inputTokens: Math.min(this.bytes + BEYOND_BYTES_TOKENS, MOST_CONTEXT_TOKENS), n: 1 };
    const priced = pricedAttempt({ step, start: unbounded });
    const reserved = bounded ? prices().bound(priced, { ...bound, outputTokens: reserve.maxOutputTokens }) : null;
    const start = { ...unbounded, reserved };
    return { eventId, start, open: openEntry(start), startedMs: clock.elapsedMs(), took: false };
  }

  #priced({ start }: Running, usage: Usage): RatedCost {
    const priced = pricedAttempt({ step: this.#dialogue.step, start });
    return this.#deps
      .prices()
      .price(usage, { ...priced, asked: start.model, answered: start.wire === 'openai.realtime' ? this.model : '' });
  }

  async #settle(
    { start, open, startedMs, took }: Running,
    ended: Pick<AttemptEnd, 'status' | 'errorCode' | 'rated'> & { usage?: Usage | null; upstreamId?: string },
  ): Promise<void> {
    const { clock, metrics, prices, recording } = this.#deps;
    const usage = ended.usage ?? null;
    const { cost, state, computedCost } = ended.rated;
    const end: AttemptEnd = {
      endedAt: clock.now(),
      status: ended.status,
      httpStatus: 101,
      errorCode: ended.errorCode,
      upstreamId: ended.upstreamId ?? '',
      last: true,
      responseModel: start.wire === 'openai.realtime' ? this.model : '',
      latencyMs: clock.elapsedMs() - startedMs,
      firstByteMs: null,
      usage,
      rated: ended.rated,
      priceBook: prices().version,
    };
    const { callId, provider, model } = start;
    await recording.settle(`${callId}.1`, closeEntry(open, start, end), cost);
    metrics.attemptEnded({ provider, model, status: ended.status, state, cost, cause: 'first', computedCost });
    if (took) recording.finish(callId, { tokens: tokensOf(usage), usd: knownOf(cost) });
  }
}

function tokensOf(usage: Usage | null): number {
  return usage === null ? 0 : inputTokens(usage.meters) + outputTokens(usage.meters);
}

/** What nobody knows is not taken from a limit: a budget holds it, as money at risk. */
function knownOf(cost: PicoUsd | null): PicoUsd {
  return cost === null ? ZERO_USD : cost;
}

const NO_LINES = { charges: [], unpricedMeters: [], terms: [] } as const;

const UNKNOWN = {
  ...NO_LINES,
  cost: null,
  listCost: null,
  billed: null,
  computedCost: null,
  state: 'in_doubt',
} as const;

const LOST: RatedCost = { ...UNKNOWN, reason: 'answer_lost' };

const UNTOLD: RatedCost = { ...UNKNOWN, reason: 'answer_without_usage' };

const NOT_BILLED: RatedCost = {
  ...NO_LINES,
  cost: ZERO_USD,
  listCost: ZERO_USD,
  billed: ZERO_USD,
  computedCost: ZERO_USD,
  state: 'exact',
  reason: 'not_billed',
};
