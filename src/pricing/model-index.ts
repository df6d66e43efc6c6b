import { EVERY_MODEL, hasRates, type PriceRow } from './price-row.ts';

/** The rows of one provider, by canonical model. */
export type ModelIndex = {
  readonly priced: readonly string[];
  /** The rows of what holds for every model, strongest first. */
  readonly everyModel: readonly PriceRow[];
  /** The model of a name, known exactly, by a pattern or as a dated snapshot; undefined when the name is not known. */
  find(name: string): IndexedModel | undefined;
  /** The same without snapshots: what was said of one name holds for no other. */
  findExact(name: string): IndexedModel | undefined;
};

/** A canonical model and its own rows, strongest first. */
export type IndexedModel = { readonly model: string; readonly rows: readonly PriceRow[] };

/** A dated snapshot, or the alias of the newest one, of a name that is known without it. */
const SNAPSHOT = /^(.+)-(?:\d{4}-\d{2}-\d{2}|\d{8}|latest)$/;

/** What providers put before a model's name: `models/…`, `publishers/google/models/…`, an ARN of Bedrock's up to its last part. */
const PATH_PREFIX = /^(?:(?:publishers\/[^/]+\/)?models\/|arn:aws[a-z-]*:bedrock:[^/]*\/)/;

export function indexModels(rows: readonly PriceRow[]): ModelIndex {
  const everyModel = rows.filter((row) => row.model === EVERY_MODEL);
  const byModel = Map.groupBy(
    rows.filter((row) => row.model !== EVERY_MODEL),
    (row) => row.model,
  );
  const ids = new Map<string, string>();
  const patterns: { readonly regex: RegExp; readonly model: string }[] = [];
  for (const row of rows) {
    for (const match of row.match) {
      if (match.kind === 'pattern') patterns.push({ regex: new RegExp(match.pattern, 'i'), model: row.model });
      else if (!ids.has(match.id)) ids.set(match.id, row.model);
    }
  }
  // A prefix is never enough: `gpt-4o-realtime-mini` is not `gpt-4o`, and a guess would be billed as a fact.
  const exactly = (name: string): string | undefined =>
    ids.get(name) ?? patterns.find(({ regex }) => regex.test(name))?.model;
  const asSnapshot = (name: string): string | undefined => {
    const snapshotOf = SNAPSHOT.exec(name)?.[1];
    return snapshotOf === undefined ? undefined : ids.get(snapshotOf);
  };
  const modelOf = (model: string | undefined): IndexedModel | undefined => {
    const own = model === undefined ? undefined : byModel.get(model);
    return model === undefined || own === undefined ? undefined : { model, rows: own };
  };
  return {
    priced: [...byModel].flatMap(([model, own]) => (own.some(hasRates) ? [model] : [])).toSorted(),
    everyModel,
    find: (text) => {
      const name = normalizeName(text);
      return modelOf(exactly(name) ?? asSnapshot(name));
    },
    findExact: (text) => modelOf(exactly(normalizeName(text))),
  };
}

/** Prices of one provider's list where another has none of its own for a model: each model is one list's alone. */
export function fallBack(own: ModelIndex, to: readonly ModelIndex[]): ModelIndex {
  const resolve = (name: string, how: 'find' | 'findExact'): IndexedModel | undefined => {
    const found = own[how](name);
    if (found !== undefined) return found;
    for (const index of to) {
      const other = index[how](name);
      // What holds for every model of that list holds for this one, too.
      if (other !== undefined) return { model: other.model, rows: [...other.rows, ...index.everyModel] };
    }
    return undefined;
  };
  return { ...own, find: (name) => resolve(name, 'find'), findExact: (name) => resolve(name, 'findExact') };
}

/** As rows write it: lower case, without what stands before the name itself. */
export function normalizeName(name: string): string {
  return name.trim().toLowerCase().replace(PATH_PREFIX, '');
}
