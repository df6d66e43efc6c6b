import type { ModelRoute, ProviderConfig } from '#config';
import type { PriceBook } from '#pricing';
import { findProvider } from '#providers';
import type { TimestampMs } from '#std';
import { NO_QUIRKS, type Quirks } from '#wires';

/** A model where it is priced: at a configured provider, or by a public list. */
export type PricedModel = {
  /** The provider whose public list applies. */
  readonly provider: string;
  /** The configured provider, whose own rows and contracts come first; else the same as `provider`. */
  readonly account: string;
  readonly model: string;
  readonly region: string;
  readonly quirks: Quirks;
};

export type ModelNames = {
  readonly providers: readonly ProviderConfig[];
  readonly routes: readonly ModelRoute[];
  readonly book: PriceBook;
  readonly at: TimestampMs;
};

type Named = {
  readonly model: string;
  /** A configured provider or the name of a public list; undefined when nobody said. */
  readonly provider: string | undefined;
  /** Whose list is looked at first when nobody else has the model. */
  readonly dialect: string;
};

/** Public lists by dialect: a model's own maker before those who resell it. */
const MAKERS: Readonly<Record<string, string>> = { openai: 'openai', anthropic: 'anthropic', gemini: 'google' };

/**
 * What a name stands for, as a call's would: a route's first deployment, `provider/model`, the first configured provider that
 * has a price for it; and where nothing is configured, the public list of its maker, then any list.
 */
export function findPricedModel(named: Named, names: ModelNames): PricedModel {
  if (named.provider !== undefined) return atProvider(named.provider, named.model, names);
  const [first] = names.routes.find(({ name }) => name === named.model)?.deployments ?? [];
  if (first !== undefined) return atProvider(first.provider, first.model, names);
  const configured = names.providers.find(
    (provider) => isPriced(provider.name, named.model, names) || isPriced(provider.priceAs, named.model, names),
  );
  if (configured !== undefined) return atProvider(configured.name, named.model, names);
  const slash = named.model.indexOf('/');
  const prefix = named.model.slice(0, Math.max(slash, 0));
  if (
    slash > 0 &&
    (names.providers.some(({ name }) => name === prefix) || isPriced(prefix, named.model.slice(slash + 1), names))
  )
    return atProvider(prefix, named.model.slice(slash + 1), names);
  return atProvider(findList(named, names), named.model, names);
}

function findList({ model, dialect }: Named, names: ModelNames): string {
  const maker = MAKERS[dialect] ?? dialect;
  const lists = [maker, ...Object.values(MAKERS), ...new Set(names.book.rows.map(({ provider }) => provider))];
  return lists.find((list) => isPriced(list, model, names)) ?? maker;
}

function atProvider(name: string, model: string, { providers }: ModelNames): PricedModel {
  const configured = providers.find((provider) => provider.name === name);
  if (configured !== undefined) {
    const { priceAs, region, quirks } = configured;
    return { provider: priceAs, account: name, model, region, quirks };
  }
  const known = findProvider(name);
  return { provider: known?.priceAs ?? name, account: name, model, region: '', quirks: known?.quirks ?? NO_QUIRKS };
}

function isPriced(provider: string, model: string, { book, at }: ModelNames): boolean {
  return book.find({ provider, model, at }) !== undefined;
}
