import { quote } from './bind.ts';

/**
 * Everything a cluster does differently, as what becomes of statements and settings; nothing else in the store knows of it. A cluster here is
 * one shard of several replicas: each has all rows, so a question is answered by whichever server is asked, as by a single one.
 */
type Replicated = { readonly cluster: string };

/** In front of a question whose answer is compared with the journal: a replica that is behind would look like one that lost rows. */
export const COMPARED = '/* compared */';

/** A batch is recognised for as long as it may be sent again: while a node is down. */
const DEDUPLICATION_WINDOW_SECONDS = 365 * 24 * 60 * 60;

/** Settings of every statement. */
export function serverSettings(cluster: string | null): Readonly<Record<string, string | number>> {
  if (cluster === null) return {};
  return {
    // More than half of the replicas have the rows before shipping goes on: one that is lost takes nothing with it.
    insert_quorum: 'auto',
    // Tables are altered everywhere before the next statement counts on it.
    alter_sync: 2,
    // New values of an erasure are read from a table that every replica has, and that does not change meanwhile.
    allow_nondeterministic_mutations: 1,
  };
}

export function createDatabase(name: string, cluster: string | null): string {
  return `CREATE DATABASE IF NOT EXISTS ${name}${onCluster(cluster)}`;
}

/** What a statement of the store is on a cluster: those before the last one are without an answer. */
export function clusterStatements(sql: string, cluster: string | null): string[] {
  if (cluster === null) return [sql];
  if (sql.startsWith('CREATE TABLE')) return [replicatedTable(sql, { cluster })];
  // What an alteration reads, each replica reads from its own copy: none may be behind.
  if (sql.startsWith('ALTER TABLE')) {
    return [...tablesRead(sql).map((table) => caughtUp(table, cluster)), onEveryServer(sql, { cluster })];
  }
  if (sql.startsWith('DROP TABLE')) return [onEveryServer(sql, { cluster })];
  if (sql.startsWith('KILL')) return [sql.replace(/^KILL (QUERY|MUTATION)/, `KILL $1${onCluster(cluster)}`)];
  const everywhere = sql.replace(
    /\bFROM system\.(mutations|parts)\b/g,
    `FROM clusterAllReplicas(${quote(cluster)}, system.$1)`,
  );
  if (!sql.startsWith(COMPARED)) return [everywhere];
  return [...tablesRead(sql).map((table) => caughtUp(table, cluster)), everywhere];
}

/**
 * Tables whose rows are spread over shards by their call, for who makes them by hand: one of each name over those of the shards. All entries of
 * a call lie together, so that a correction is found beside what it corrects.
 */
export function shardedTables(
  sql: string,
  { cluster, database }: Replicated & { readonly database: string },
): string[] {
  const { name, columns } = tableOf(sql);
  const local = `${name}_local`;
  const key = columns.includes('call_id') ? 'call_id' : (columns[0] ?? '');
  return [
    replicatedTable(sql.replace(name, local), { cluster }),
    `CREATE TABLE IF NOT EXISTS ${name}${onCluster(cluster)} AS ${local}
ENGINE = Distributed(${quote(cluster)}, ${quote(database)}, ${quote(local)}, cityHash64(${key}))`,
  ];
}

function tablesRead(sql: string): readonly string[] {
  return [...new Set(Array.from(sql.matchAll(/\bFROM (\w+)/g), ([, table]) => table ?? ''))];
}

function caughtUp(table: string, cluster: string): string {
  return `SYSTEM SYNC REPLICA${onCluster(cluster)} ${table} LIGHTWEIGHT`;
}

function replicatedTable(sql: string, { cluster }: Replicated): string {
  const { name } = tableOf(sql);
  return onEveryServer(sql, { cluster })
    .replace(
      /\bENGINE = MergeTree\b/,
      `ENGINE = ReplicatedMergeTree('/clickhouse/tables/{shard}/{database}/${name}', '{replica}')`,
    )
    .replace(
      /\bnon_replicated_deduplication_window = (\d+)/,
      `replicated_deduplication_window = $1, replicated_deduplication_window_seconds = ${DEDUPLICATION_WINDOW_SECONDS}`,
    );
}

const TABLE = /^((?:CREATE|ALTER|DROP) TABLE (?:IF (?:NOT )?EXISTS )?(\w+))/;

function onEveryServer(sql: string, { cluster }: Replicated): string {
  return sql.replace(TABLE, `$1${onCluster(cluster)}`);
}

function tableOf(sql: string): { readonly name: string; readonly columns: readonly string[] } {
  return {
    name: TABLE.exec(sql)?.[2] ?? '',
    columns: Array.from(sql.matchAll(/[(\n,]\s*(\w+) [A-Z]\w+/g), ([, name]) => name ?? ''),
  };
}

function onCluster(cluster: string | null): string {
  return cluster === null ? '' : ` ON CLUSTER ${quote(cluster)}`;
}
