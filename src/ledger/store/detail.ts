import { invariant, type TimestampMs } from '#std';
import { bind } from './bind.ts';
import type { Connection } from './connection.ts';
import { untilRewritten } from './mutation.ts';
import { ENTRIES, ENTRY_COLUMNS, type EntryColumn } from './schema.ts';
import { SUMS } from './sums/schema.ts';

/** Which conversation an entry was of. Nothing that is still to be done about a call needs it. */
const CONVERSATION = [
  'session_id',
  'session_path',
  'trace_id',
  'tag_conflicts',
] as const satisfies readonly EntryColumn[];

/** Which call an entry was of, and how its cost came about: what a list, one event and jobs read, and no sum. */
const CALL = [
  'call_id',
  'upstream_id',
  'usage_raw',
  'other_usage',
  'charges',
  'first_byte_ms',
] as const satisfies readonly EntryColumn[];

/** The columns of an entry that its retention empties. Tags, as resolved and as sent, meters and latency are in sums, and stay. */
export const DETAIL_COLUMNS: readonly EntryColumn[] = [...CONVERSATION, ...CALL, 'entry_id'];

/** True of an attempt or correction whose detail is gone. */
export const DETAIL_IS_GONE = "(kind IN ('attempt', 'correction') AND call_id = '')";

/** Nobody knows what these cost: what they were is needed to find out. */
const OPEN = "('unpriced', 'in_doubt')";

const BEFORE = "effective_at < fromUnixTimestamp64Milli({before:Int64}, 'UTC')";

const HAS_CONVERSATION = CONVERSATION.map((name) => `notEmpty(${name})`).join(' OR ');

/** Hashes take a tenth of the memory of ids. Two ids of one hash keep a few words of one entry longer. */
const ENDED = `cityHash64(entry_id) IN (SELECT cityHash64(corrects) FROM ${ENTRIES}
  WHERE kind = 'correction' AND resolves IN ${OPEN} AND cost_state NOT IN ${OPEN} AND ${BEFORE})`;

const SETTLED_ATTEMPT = `kind = 'attempt' AND (cost_state NOT IN ${OPEN} OR ${ENDED})`;

const SETTLED = `((${SETTLED_ATTEMPT}) OR (kind = 'correction' AND cost_state NOT IN ${OPEN}))`;

/** What its corrections are found by stays: reports by cost state ask for the state that the last of them left. */
const UNCORRECTED = `cityHash64(entry_id) NOT IN (SELECT cityHash64(corrects) FROM ${ENTRIES} WHERE corrects != '' AND ${BEFORE})`;

const BEFORE_QUARTER = "quarter < toDateTime(intDiv({before:Int64}, 1000), 'UTC')";

/** Sums in which sessions and calls stand, as conditions, and what their entries say once their detail is gone. */
const NAMING_SUMS = [
  { where: `dimension IN ('session', 'in_session') AND value IS NOT NULL AND ${BEFORE_QUARTER}`, value: 'NULL' },
  {
    where: `dimension = 'unsettled' AND value != '' AND detail NOT IN ${OPEN} AND ${BEFORE_QUARTER}
      AND cityHash64(assumeNotNull(value)) NOT IN (SELECT cityHash64(corrects) FROM ${ENTRIES} WHERE corrects != '' AND ${BEFORE})`,
    value: "''",
  },
] as const;

const DAY_MS = 24 * 60 * 60 * 1000;

/** The first instant whose entries have their detail: whole days, so that sums by the hour are of one side or the other. */
export function detailKeptFrom(days: number, now: TimestampMs): TimestampMs {
  return ((Math.floor(now / DAY_MS) - days) * DAY_MS) as TimestampMs;
}

/**
 * Empties the detail of entries before an instant, in place: every row, amount, token and dimension stays. The engine puts each of its files in
 * the place of the old one at once, and goes on after a crash. @returns how many entries had any
 */
export async function retireDetail(
  connection: Connection,
  before: TimestampMs,
  signal: AbortSignal,
): Promise<{ readonly entries: number }> {
  await untilRewritten(connection, ENTRIES, signal);
  const due = await connection.rows<{ partition: string; entries: string }>(
    bind(
      `SELECT _partition_id AS partition, toString(count()) AS entries FROM ${ENTRIES}
       WHERE ${BEFORE} AND (${HAS_CONVERSATION} OR (call_id != '' AND ${SETTLED})) GROUP BY partition ORDER BY partition`,
      { before },
    ),
  );
  for (const { partition } of due) {
    if (signal.aborted) break;
    for (const rewrite of rewritesOf(partition)) {
      if (signal.aborted) break;
      await connection.run(bind(rewrite, { before }));
      await untilRewritten(connection, ENTRIES, signal);
    }
  }
  return { entries: due.reduce((sum, { entries }) => sum + Number(entries), 0) };
}

/** Names of sessions and calls leave the sums too, before they leave the entries: whoever finds a session in sums finds its entries. */
export async function retireNamesInSums(
  connection: Connection,
  before: TimestampMs,
  signal: AbortSignal,
): Promise<void> {
  for (const { where, value } of NAMING_SUMS) {
    const [found] = await connection.rows<{ rows: string }>(
      bind(`SELECT toString(count()) AS rows FROM ${SUMS} WHERE ${where}`, { before }),
    );
    if (signal.aborted) return;
    if (found?.rows === '0') continue;
    await connection.run(
      bind(
        `ALTER TABLE ${SUMS} UPDATE value = ${value} WHERE ${where}
         SETTINGS mutations_sync=0, mutations_execute_subqueries_on_initiator=0`,
        { before },
      ),
    );
    await untilRewritten(connection, SUMS, signal);
  }
}

/**
 * Only columns that lie in files of their own: the engine then leaves the files of all others as they are. One map or JSON column more would have it write
 * all of them, with hundreds of megabytes of buffers. Few at a time, for the same reason. What says that an entry is done comes last.
 */
function rewritesOf(partition: string): readonly string[] {
  const rewrite = (columns: readonly EntryColumn[], where: string): string =>
    `ALTER TABLE ${ENTRIES} UPDATE ${columns.map((name) => `${name} = ${emptyOf(name)}`).join(', ')}
     IN PARTITION ID '${partition}' WHERE ${BEFORE} AND ${where}
     SETTINGS mutations_sync=0, mutations_execute_subqueries_on_initiator=0`;
  return [
    rewrite(CONVERSATION, `(${HAS_CONVERSATION})`),
    rewrite(['charges'], `call_id != '' AND ${SETTLED}`),
    rewrite(['upstream_id', 'usage_raw', 'other_usage', 'first_byte_ms'], `call_id != '' AND ${SETTLED}`),
    rewrite(['entry_id'], `call_id != '' AND ${SETTLED_ATTEMPT} AND ${UNCORRECTED}`),
    rewrite(['call_id'], `call_id != '' AND ${SETTLED}`),
  ];
}

function emptyOf(name: EntryColumn): string {
  const type: string = ENTRY_COLUMNS[name];
  invariant(!/^(?:Map|JSON)/.test(type), `${name} lies in a file of its own`);
  if (type.startsWith('Nullable')) return 'NULL';
  return type.startsWith('Array') ? '[]' : "''";
}
