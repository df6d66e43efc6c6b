import type { TimestampMs } from '#std';
import { chainHistory, isInForce } from './history.ts';
import { normalizeName, type IndexedModel, type ModelIndex } from './model-index.ts';
import { indexProviders, matchAt, openTimeline, type ModelRows, type PriceBook, type Timeline } from './price-book.ts';
import { compileMatch, type OwnRates, type PriceMatch } from './price-match.ts';
import { hasRates } from './price-row.ts';
import type { Contract, Markup, PriceTerms } from './price-term.ts';

/** Whose price of which model is asked for. */
export type Asked = {
  readonly provider: string;
  readonly account: string;
  readonly answered: string;
  readonly asked: string;
};

/** Everything that can hold for one model of one account: its prices over time, and the terms in whose scope it is. */
export type ModelPrices = {
  readonly timeline: Timeline;
  readonly contracts: readonly Contract[];
  readonly markups: readonly Markup[];
  /** What contracts with rates of their own compile to, in the timeline's span that begins at `from`. */
  readonly covered: Map<Contract, { readonly from: number; readonly match: PriceMatch }>;
};

export type ModelPricesIndex = {
  find(asked: Asked): ModelPrices;
  /** Canonical names of the models a provider's public and operator rows price, sorted. */
  models(provider: string): readonly string[];
};

/** Model names come from callers and from answers: beyond this many they are resolved anew. */
const RESOLVED_NAMES_MAX = 20_000;

type Account = { readonly provider: string; readonly byAnswer: Map<string, Map<string, ModelPrices>> };

export function indexModelPrices(book: PriceBook, terms: PriceTerms): ModelPricesIndex {
  const operator = indexProviders(chainHistory(terms.rows));
  const layersOf = ({ provider, account }: Asked): readonly ModelIndex[] =>
    [...new Set([account, provider])].flatMap((name) => operator.get(name) ?? []);
  const accounts = new Map<string, Account>();
  let resolved = 0;
  const resolve = (asked: Asked): ModelPrices => {
    const found = findRows(asked, { layers: layersOf(asked), list: book.index(asked.provider) });
    const names = new Set([found.model, normalizeName(asked.answered), normalizeName(asked.asked)]);
    const ours = (term: Contract | Markup): boolean =>
      (term.provider === null || term.provider === asked.account || term.provider === asked.provider) &&
      (term.model === null || names.has(term.model));
    const contracts = terms.contracts.filter(ours);
    return { timeline: openTimeline(found), contracts, markups: terms.markups.filter(ours), covered: new Map() };
  };
  return {
    find: (asked) => {
      let account = accounts.get(asked.account);
      if (account === undefined || account.provider !== asked.provider || resolved >= RESOLVED_NAMES_MAX) {
        if (resolved >= RESOLVED_NAMES_MAX) accounts.clear();
        account = { provider: asked.provider, byAnswer: new Map() };
        accounts.set(asked.account, account);
        resolved = 0;
      }
      let byQuestion = account.byAnswer.get(asked.answered);
      if (byQuestion === undefined) account.byAnswer.set(asked.answered, (byQuestion = new Map()));
      let prices = byQuestion.get(asked.asked);
      if (prices !== undefined) return prices;
      prices = resolve(asked);
      byQuestion.set(asked.asked, prices);
      resolved += 1;
      return prices;
    },
    models: (provider) =>
      [...new Set([...book.models(provider), ...(operator.get(provider)?.priced ?? [])])].toSorted(),
  };
}

/** The prices of a model with a contract's rates over them. */
export function coverMatch(prices: ModelPrices, contract: Contract, at: TimestampMs): PriceMatch {
  const { timeline, covered } = prices;
  const list = matchAt(timeline, at);
  const known = covered.get(contract);
  if (known !== undefined && known.from === timeline.from) return known.match;
  const rows = list?.rows ?? timeline.rows.filter((row) => isInForce(row, at));
  const match = compileMatch(timeline.model, rows, toOwnRates(contract));
  covered.set(contract, { from: timeline.from, match });
  return match;
}

function toOwnRates(contract: Contract): OwnRates {
  const { id, region } = contract;
  // A contract for the base tier alone was only chosen where the base tier was served.
  const serviceTier = contract.serviceTier === '' ? null : contract.serviceTier;
  return { id, rates: 'rates' in contract ? contract.rates : {}, serviceTier, region };
}

/**
 * The operator's rows before the list, meter by meter. What answered is what is billed; a name that no list knows is an alias,
 * or a deployment, of what was asked for.
 */
function findRows(
  { answered, asked }: Asked,
  from: { readonly layers: readonly ModelIndex[]; readonly list: ModelIndex },
): ModelRows {
  const listAsked = from.list.find(asked);
  const listed = (answered === '' ? undefined : from.list.find(answered)) ?? listAsked;
  const names = answered === '' ? [asked] : [answered];
  if (listed !== undefined) names.push(listed.model);
  // A name only the operator knows stands for a deployment, whatever model it says it is.
  if (listAsked === undefined) names.push(asked);
  const own = from.layers.map((layer) => findInLayer(layer, names, listed === undefined ? 'and_snapshots' : 'exact'));
  const model = listed?.model ?? own.find((one) => one !== undefined)?.model ?? normalizeName(answered || asked);
  const rows = from.layers.flatMap((layer, at) => [...(own[at]?.rows ?? []), ...layer.everyModel]);
  const known = listed !== undefined || rows.some(hasRates);
  return { model, rows: known ? [...rows, ...(listed?.rows ?? []), ...from.list.everyModel] : [] };
}

function findInLayer(
  layer: ModelIndex,
  names: readonly string[],
  known: 'exact' | 'and_snapshots',
): IndexedModel | undefined {
  for (const name of names) {
    const exact = layer.findExact(name);
    if (exact !== undefined) return exact;
  }
  if (known === 'exact') return undefined;
  for (const name of names) {
    const found = layer.find(name);
    if (found !== undefined) return found;
  }
  return undefined;
}
