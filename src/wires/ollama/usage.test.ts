import assert from 'node:assert/strict';
import { test } from 'node:test';
import { NO_QUIRKS } from '../wire.ts';
import { readOllamaUsage } from './index.ts';

const CONTEXT = { quirks: NO_QUIRKS };

test('what came from the cache is inside the prompt', () => {
  const plain = readOllamaUsage({ prompt_eval_count: 26, eval_count: 298, total_duration: 5_589_157_167 }, CONTEXT);
  assert.deepEqual([plain?.meters, plain?.inconsistent], [{ input: 26, output_text: 298 }, undefined]);
  const cached = readOllamaUsage({ prompt_eval_count: 26, prompt_eval_cached_count: 20, eval_count: 1 }, CONTEXT);
  assert.deepEqual(cached?.meters, { input: 6, cache_read: 20, output_text: 1 });
});

test('an embedding has input only', () => {
  assert.deepEqual(readOllamaUsage({ prompt_eval_count: 8 }, CONTEXT)?.meters, { input: 8 });
});

test('a prompt that was left out is unknown, not zero', () => {
  const usage = readOllamaUsage({ eval_count: 298 }, CONTEXT);
  assert.deepEqual([usage?.meters, usage?.inconsistent], [{ output_text: 298 }, true]);
  assert.equal(readOllamaUsage({ done: true }, CONTEXT), null);
});

test('more cached than prompted is flagged, and both are kept', () => {
  const usage = readOllamaUsage({ prompt_eval_count: 5, prompt_eval_cached_count: 20, eval_count: 1 }, CONTEXT);
  assert.deepEqual([usage?.meters, usage?.inconsistent], [{ input: 5, cache_read: 20, output_text: 1 }, true]);
});
