import { quote } from './bind.ts';

/** Several servers that have the tables together. Sharded: each has a part of the rows. */
export type Cluster = { readonly name: string; readonly sharded: boolean };

/** Settings of every statement. One server has its own. */
export function serverSettings(cluster: Cluster | null): Readonly<Record<string, string | number>> {
  return cluster === null ? {} : {};
}

export function createDatabase(name: string, cluster: Cluster | null): string {
  return `CREATE DATABASE IF NOT EXISTS ${name}${cluster === null ? '' : ` ON CLUSTER ${quote(cluster.name)}`}`;
}

/** What a statement of the store is on a cluster. */
export function clusterStatements(sql: string, cluster: Cluster | null): string[] {
  return cluster === null ? [sql] : [sql];
}
