import type { ModelRoute, ProviderConfig } from '#config';
import { makePrices, parseWhatIf, type Payer, type PricedAttempt, type Prices } from '#pricing';
import { ApportionError, type PicoUsd, type RatedCost, type Usage } from '#terms';
import { nearestName } from '#std';
import { readUsage, USAGE_READERS, type Estimator } from '#wires';
import type { CurrentPrices } from './current-prices.ts';
import { estimateMessages } from './message-estimate.ts';
import { findPricedModel, type PricedModel } from './priced-model.ts';
import type { QuotedUsage, QuoteRequest } from './quote-request.ts';

export type QuoteDeps = {
  readonly current: () => CurrentPrices;
  readonly providers: readonly ProviderConfig[];
  readonly routes: readonly ModelRoute[];
  readonly estimator: Estimator;
};

/** What something costs, and what that was computed from. */
export type Quote = {
  readonly priced: PricedModel;
  readonly usage: Usage;
  readonly rated: RatedCost;
  /** The most a call with these messages can cost; null where usage was stated, or where nothing bounds it. */
  readonly upperBound: PicoUsd | null;
  readonly priceBook: string;
};

/** The exact cost of usage at the prices and terms that hold, or at those of the request. Nothing is recorded. */
export async function quote(deps: QuoteDeps, request: QuoteRequest): Promise<Quote> {
  const current = deps.current();
  const { quoted } = request;
  const priced = findPricedModel(
    { model: request.model, provider: request.provider, dialect: dialectOf(quoted) },
    { providers: deps.providers, routes: deps.routes, book: current.book, at: request.at },
  );
  const prices = request.pricing === undefined ? current.prices : imagine(request.pricing, priced);
  const attempt = toAttempt(request, priced);
  if (quoted.kind === 'messages') {
    const { usage, bound } = await estimateMessages(deps.estimator, quoted.body);
    const upperBound = bound === null ? null : prices.bound(attempt, bound);
    return { priced, usage, rated: prices.price(usage, attempt), upperBound, priceBook: prices.version };
  }
  const usage = readStated(quoted, priced);
  return { priced, usage, rated: prices.price(usage, attempt), upperBound: null, priceBook: prices.version };
}

function imagine(pricing: unknown, { provider, model }: PricedModel): Prices {
  const { book, terms } = parseWhatIf(pricing, { provider, model });
  return makePrices(book, terms);
}

function readStated(quoted: Extract<QuotedUsage, { kind: 'stated' }>, { model, quirks }: PricedModel): Usage {
  const { wire, usage, events, context } = quoted;
  if (!Object.hasOwn(USAGE_READERS, wire)) {
    const near = nearestName(wire, Object.keys(USAGE_READERS));
    throw new ApportionError('invalid_field', `wire: ${JSON.stringify(wire)} is no wire format.`, {
      param: 'wire',
      hint: near === undefined ? `Known are: ${Object.keys(USAGE_READERS).join(', ')}.` : `Did you mean ${near}?`,
    });
  }
  const read = readUsage({ wire, quirks, model, usage, events, context });
  if (read !== null) return read;
  const param = events === undefined ? 'usage' : 'events';
  throw new ApportionError('invalid_field', `${param}: no usage is found in it.`, {
    param,
    hint: `Send it as ${wire} states it. An answer without usage has none to price: send its messages for an estimate.`,
  });
}

function toAttempt(request: QuoteRequest, { provider, account, model, region }: PricedModel): PricedAttempt {
  return {
    provider,
    account,
    answered: '',
    asked: model,
    region: request.region ?? region,
    at: request.at,
    payer: toPayer(request),
  };
}

function toPayer({ payer }: QuoteRequest): Payer {
  const dimensions = new Map(Object.entries(payer.tags).map(([key, value]) => [key, { value }]));
  return { key: payer.key, team: payer.team, dimensions };
}

function dialectOf(quoted: QuotedUsage): string {
  return quoted.kind === 'messages' ? 'openai' : (quoted.wire.split('.')[0] ?? '');
}
