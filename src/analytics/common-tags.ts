import { tagKeyOfPath } from '#ledger/store';
import type { Bindings } from './bindings.ts';
import { countOf, textOf } from './reader.ts';
import type { Report } from './report.ts';

export type CommonTags = ReadonlyMap<string, Readonly<Record<string, string>>>;

export type CommonTagsAsk = {
  readonly sessionIds: readonly string[];
  /** Where all their entries are, if that is known. */
  readonly where?: string;
};

/** The dimensions all calls of a session share, by session. */
export async function commonTags(report: Report, { sessionIds, where = '1' }: CommonTagsAsk): Promise<CommonTags> {
  if (sessionIds.length === 0) return new Map();
  // The entries of a session and those of them with a value, both counted in one pass.
  const rows = await report.rows(
    (
      from,
      { bind }: Bindings,
    ) => `SELECT session_id AS x_session, tag.1 AS x_path, tag.2 AS x_value, count() AS x_entries
      FROM (SELECT session_id, arrayJoin(arrayConcat([('', '')], JSONExtractKeysAndValues(toJSONString(tags), 'String'))) AS tag
        ${from} AND ${where} AND session_id IN ${bind('Array(String)', sessionIds)})
      GROUP BY session_id, tag ORDER BY x_path`,
  );
  const entries = new Map<string, number>();
  const common = new Map<string, Record<string, string>>();
  for (const row of rows) {
    const session = textOf(row, 'x_session');
    const path = textOf(row, 'x_path');
    const count = countOf(row, 'x_entries');
    // The empty path is in every entry and sorts first.
    if (path === '') entries.set(session, count);
    else if (entries.get(session) === count) {
      const tags = common.get(session) ?? {};
      tags[tagKeyOfPath(path)] = textOf(row, 'x_value');
      common.set(session, tags);
    }
  }
  return common;
}
