import type { Connection } from './connection.ts';
import { quote } from './bind.ts';
import { ENTRIES } from './schema.ts';
import { isTagKey, tagColumn, tagKeyOfPath } from './tag-column.ts';

/** Keys with a column of their own at most. */
const MOST_COLUMNS = 32;
/** Of a hundred entries at least so many have the key. */
const LEAST_PERCENT = 1;
/** A dictionary of more values is no gain: user ids stay where they are. */
const MOST_VALUES = 10_000;
/** Entries whose values are counted, the newest. */
const LOOKED_AT = 1_000_000;

const PREFIX = 'own_tag_';

/** What `tagColumn` makes of a key. Values are bound, so nothing else in a statement looks like this. */
const TAG_EXPRESSION = /(?<![\w.])tags\.`([^`]+)`\.:String/g;

/**
 * Tags that many entries carry with few values get a column of their own, a small number per entry: to filter and group by it takes a fifth of
 * what the value inside `tags` takes. It is worked out from `tags` by the engine and has the same values, so nobody outside of the store
 * knows of it.
 */
export class OwnColumns {
  readonly #connection: Connection;
  /** By the key's path inside `tags`. */
  #columns: ReadonlyMap<string, string> = new Map();

  constructor(connection: Connection) {
    this.#connection = connection;
  }

  async load(): Promise<void> {
    const rows = await this.#connection.rows<{ name: string; comment: string }>(
      `SELECT name, comment FROM system.columns
       WHERE database = currentDatabase() AND table = '${ENTRIES}' AND startsWith(name, '${PREFIX}')`,
    );
    this.#columns = new Map(rows.map(({ name, comment }) => [comment, name]));
  }

  /** The tags that have one. */
  keys(): readonly string[] {
    return Array.from(this.#columns.keys(), tagKeyOfPath);
  }

  /** The statement with own columns in the place of tags that have one. */
  narrow(sql: string): string {
    if (this.#columns.size === 0) return sql;
    return sql.replace(TAG_EXPRESSION, (expression, path: string) => this.#columns.get(path) ?? expression);
  }

  /** Gives columns to the keys that deserve one. Rows that are there get them behind whoever asks; reports are right all the time. */
  async add(): Promise<readonly string[]> {
    const wanted = await this.#frequentPaths();
    const added: string[] = [];
    for (const path of wanted.slice(0, MOST_COLUMNS - this.#columns.size)) {
      const name = `${PREFIX}${this.#columns.size + 1}`;
      const type = `LowCardinality(Nullable(String)) MATERIALIZED ${tagColumn(tagKeyOfPath(path))}`;
      await this.#connection.run(
        `ALTER TABLE ${ENTRIES} ADD COLUMN IF NOT EXISTS ${name} ${type} COMMENT ${quote(path)}`,
      );
      this.#columns = new Map([...this.#columns, [path, name]]);
      added.push(name);
    }
    if (added.length > 0) {
      const fill = added.map((name) => `MATERIALIZE COLUMN ${name}`).join(', ');
      await this.#connection.run(`ALTER TABLE ${ENTRIES} ${fill} SETTINGS mutations_sync=0`);
    }
    return added;
  }

  async #frequentPaths(): Promise<readonly string[]> {
    const rows = await this.#connection.rows<{ path: string }>(
      `SELECT path FROM (SELECT tag_keys, count() AS entries FROM ${ENTRIES} GROUP BY tag_keys)
       ARRAY JOIN splitByChar(' ', toString(tag_keys)) AS path WHERE path != ''
       GROUP BY path HAVING sum(entries) * 100 >= ${LEAST_PERCENT} * (SELECT count() FROM ${ENTRIES})
       ORDER BY sum(entries) DESC, path LIMIT ${MOST_COLUMNS}`,
    );
    const paths = rows
      .map(({ path }) => path)
      .filter((path) => isTagKey(tagKeyOfPath(path)) && !this.#columns.has(path));
    if (paths.length === 0) return [];
    const counts = paths.map((path, at) => `uniq(${tagColumn(tagKeyOfPath(path))}) <= ${MOST_VALUES} AS few${at}`);
    const [few] = await this.#connection.rows<Record<string, number>>(
      `SELECT ${counts.join(', ')} FROM ${ENTRIES} WHERE seq > (SELECT toInt64(max(seq)) - ${LOOKED_AT} FROM ${ENTRIES})`,
    );
    return paths.filter((_, at) => few?.[`few${at}`] === 1);
  }
}
