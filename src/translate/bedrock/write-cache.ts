import type { CacheMark } from '../prompt.ts';

/** A point behind what is to be cached; five minutes is what Bedrock keeps without being told. */
export function cachePoint(cache: CacheMark | null): readonly object[] {
  if (cache === null) return [];
  return [{ cachePoint: { type: 'default', ...(cache.lifetime === '1h' ? { ttl: '1h' } : {}) } }];
}
