/** Consecutive entries of a node that are summed up together. */
export type SumRange = { readonly nodeId: string; readonly first: number; readonly through: number };

/** True of its entries, with `rangeParams`. */
export const IN_RANGE = 'node_id = {node:String} AND seq BETWEEN {first:UInt64} AND {through:UInt64}';

export function rangeParams({ nodeId, first, through }: SumRange): Readonly<Record<string, string | number>> {
  return { node: nodeId, first, through };
}

/** One thread: calls and reports go before. */
export const SUM_SETTINGS = [
  'max_threads=1',
  'max_insert_threads=1',
  'max_partitions_per_insert_block=0',
  'max_memory_usage=300000000',
  'max_bytes_before_external_group_by=50000000',
  'min_insert_block_size_rows=100000',
  'min_insert_block_size_bytes=32000000',
].join(', ');
