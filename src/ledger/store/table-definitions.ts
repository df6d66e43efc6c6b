import { quoteName } from './bind.ts';
import { clusterStatements, createDatabase, shardedTables } from './cluster.ts';
import { NEW_TABLES } from './migrations.ts';

export type TableForm = {
  readonly database: string;
  /** Null: one server. */
  readonly cluster: string | null;
  /** Of a cluster: whether its shards have a part of the rows each. */
  readonly spread: 'replicated' | 'sharded';
};

/** The statements that make the tables anew, in order: those the store itself runs, but for shards, which it does not run on. */
export function tableDefinitions({ database, cluster, spread }: TableForm): readonly string[] {
  const tables = NEW_TABLES.flatMap((sql) =>
    cluster === null || spread === 'replicated'
      ? clusterStatements(sql, cluster)
      : shardedTables(sql, { cluster, database }),
  );
  const name = quoteName(database);
  return [createDatabase(name, cluster), `USE ${name}`, ...tables];
}
