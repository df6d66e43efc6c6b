import type { CacheMark } from '../prompt.ts';

/** Five minutes is what Anthropic keeps without being told. */
export function writeCache(cache: CacheMark | null): object {
  if (cache === null) return {};
  return { cache_control: { type: 'ephemeral', ...(cache.lifetime === '1h' ? { ttl: '1h' } : {}) } };
}
