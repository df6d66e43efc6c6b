import assert from 'node:assert/strict';
import { makePrices, parseWhatIf, type PricedAttempt, type Prices } from '#pricing';
import { findProvider } from '#providers';
import { scanJsonObject } from '#std';
import { formatUsd, type RatedCost, type Usage } from '#terms';
import {
  NO_QUIRKS,
  NO_TARGET,
  type AnswerContext,
  type AnswerFacts,
  type RequestBody,
  type Wire,
  type WireRequest,
} from '#wires';

const REQUEST: WireRequest = {
  model: 'm',
  stream: false,
  wantsUsage: true,
  maxOutputTokens: null,
  choices: 1,
  maxInputTokens: null,
};

export type Around = {
  /** Whose quirks hold. */
  readonly provider?: string;
  readonly headers?: AnswerContext['headers'];
  readonly request?: Partial<WireRequest>;
};

function contextOf({ provider, headers, request }: Around): AnswerContext {
  const quirks = provider === undefined ? NO_QUIRKS : findProvider(provider)?.quirks;
  assert.ok(quirks !== undefined, `${provider} is a provider`);
  return { request: { ...REQUEST, ...request }, quirks, headers: headers ?? {} };
}

function usageOf(facts: AnswerFacts): Usage {
  assert.ok(facts.usage !== null && facts.usageComplete);
  return facts.usage;
}

/** A request's body as the gateway scans it. */
export function bodyOf(fields: object): RequestBody {
  const bytes = Buffer.from(JSON.stringify(fields));
  const scan = scanJsonObject(bytes);
  assert.ok(scan.ok);
  return { bytes, members: new Map(scan.members.map((member) => [member.key, member])), form: null, target: NO_TARGET };
}

/** The usage of an answer that came whole. */
export function answered(wire: Wire, answer: object, around: Around = {}): Usage {
  return usageOf(wire.readAnswer(Buffer.from(JSON.stringify(answer)), contextOf(around)));
}

/** The usage of an answer that came as events, cut into pieces of an odd length. */
export function streamed(wire: Wire, events: readonly object[], around: Around = {}): Usage {
  const meter = wire.meterStream(contextOf({ ...around, request: { ...around.request, stream: true } }));
  const bytes = Buffer.from(events.map((event) => framed(wire, event)).join('') + endOf(wire));
  for (let at = 0; at < bytes.length; at += 37) meter.push(bytes.subarray(at, at + 37));
  return usageOf(meter.facts());
}

function framed(wire: Wire, event: object): string {
  const name = 'type' in event && typeof event.type === 'string' ? `event: ${event.type}\n` : '';
  return `${wire.dialect === 'gemini' ? '' : name}data: ${JSON.stringify(event)}\n\n`;
}

function endOf(wire: Wire): string {
  return wire.name === 'openai.chat' ? 'data: [DONE]\n\n' : '';
}

export const NOW = Date.parse('2026-11-21T00:00:00Z') as PricedAttempt['at'];

export function attempt(changes: Partial<PricedAttempt> = {}): PricedAttempt {
  return {
    provider: 'p',
    account: 'p',
    answered: '',
    asked: 'm',
    region: '',
    at: NOW,
    payer: { key: '', team: '', dimensions: new Map() },
    ...changes,
  };
}

/** Prices as they are written by hand in the tests: US dollars per million tokens, fees per thousand. */
export type HandPrices = Readonly<Record<string, string>>;

/** Fees are by the thousand, tokens by the million. */
const FEES: ReadonlySet<string> = new Set(['web_search', 'grounded_prompt', 'file_search', 'code_execution', 'image']);

export function rates(prices: HandPrices): Record<string, { amount: string; per: number }> {
  return Object.fromEntries(
    Object.entries(prices).map(([meter, amount]) => [meter, { amount, per: FEES.has(meter) ? 1_000 : 1_000_000 }]),
  );
}

/** Prices of model `m` of provider `p`; `more` is the rest of what golden cases call `pricing`. */
export function pricesOf(prices: HandPrices, more: object = {}): Prices {
  const { book, terms } = parseWhatIf({ rates: rates(prices), ...more }, { provider: 'p', model: 'm' });
  return makePrices(book, terms);
}

export function cost(usage: Usage, prices: Prices, changes: Partial<PricedAttempt> = {}): RatedCost {
  return prices.price(usage, attempt(changes));
}

/** The exact cost of usage that is wholly priced. */
export function exactUsd(usage: Usage, prices: Prices, changes: Partial<PricedAttempt> = {}): string {
  const rated = cost(usage, prices, changes);
  assert.equal(rated.state, 'exact', rated.reason ?? rated.unpricedMeters.join());
  assert.ok(rated.cost !== null);
  return formatUsd(rated.cost);
}
