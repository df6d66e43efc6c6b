import { isTagKey, tagColumn, tagKeyOfPath } from '#ledger/store';
import { textOf, textOrNull, textsOf, type Row } from './reader.ts';
import type { Report } from './report.ts';

export type CommonTags = ReadonlyMap<string, Readonly<Record<string, string>>>;

/** The sets of keys that entries of a session carry, for `commonTags`. */
export const TAG_SETS_COLUMN = 'groupUniqArray(toString(tag_keys)) AS x_tag_sets';

export type CommonTagsAsk = {
  /** By id, rows with `TAG_SETS_COLUMN`. */
  readonly sessions: ReadonlyMap<string, Row>;
  /** Where all their entries are, if that is known. */
  readonly where?: string;
};

/** Keys that one statement looks at. */
const KEYS_AT_ONCE = 100;

/** The dimensions all calls of a session share, by session. */
export async function commonTags(report: Report, { sessions, where = '1' }: CommonTagsAsk): Promise<CommonTags> {
  const carried = Array.from(sessions.values(), (row) => carriedByAll(textsOf(row, 'x_tag_sets')));
  const keys = [...new Set(carried.flat())].toSorted();
  const common = new Map<string, Map<string, string>>();
  for (let from = 0; from < keys.length; from += KEYS_AT_ONCE) {
    const some = keys.slice(from, from + KEYS_AT_ONCE);
    for (const row of await valuesOf(report, { ids: [...sessions.keys()], keys: some, where })) {
      const id = textOf(row, 'x_session');
      const tags = common.get(id) ?? new Map<string, string>();
      common.set(id, tags);
      for (const [at, key] of some.entries()) {
        const value = textOrNull(row, `x_value${at}`);
        if (value !== null) tags.set(key, value);
      }
    }
  }
  return new Map(Array.from(common, ([id, tags]) => [id, Object.fromEntries(tags)]));
}

/** Keys that stand in each of some sets, which are texts of paths with spaces between. */
function carriedByAll(sets: readonly string[]): readonly string[] {
  const [first = '', ...others] = sets;
  const rest = others.map((set) => new Set(set.split(' ')));
  const paths = first.split(' ').filter((path) => rest.every((set) => set.has(path)));
  return paths.map(tagKeyOfPath).filter(isTagKey);
}

/** The value of each key where all entries of a session have it and it is the same, else null. */
function valuesOf(
  report: Report,
  { ids, keys, where }: { readonly ids: readonly string[]; readonly keys: readonly string[]; readonly where: string },
): Promise<readonly Row[]> {
  const columns = keys.map((key, at) => {
    const column = tagColumn(key);
    return `if(count(${column}) = count() AND min(${column}) = max(${column}), min(${column}), NULL) AS x_value${at}`;
  });
  return report.rows(
    (from, { bind }) => `SELECT session_id AS x_session, ${columns.join(', ')}
      ${from} AND ${where} AND session_id IN ${bind('Array(String)', ids)} GROUP BY session_id`,
  );
}
