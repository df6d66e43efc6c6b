import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import { setImmediate } from 'node:timers/promises';
import fc from 'fast-check';
import { countTokens } from 'gpt-tokenizer/encoding/o200k_base';
import { COUNTED_CHARS_MAX, estimateTokens, SLICE_CHARS_MAX } from './count-tokens.ts';
import { createEstimator } from './estimator.ts';

const estimator = createEstimator();
after(() => estimator.close());

const PROSE = 'The quick brown fox jumps over the lazy dog, and the ledger keeps an exact account of it. ';

test('an estimate counts the tokens of input and output and is marked as one', async () => {
  const usage = await estimator.estimate({ input: 'Hello, world', output: 'Good morning', extraOutputChars: 0 });
  assert.deepEqual(usage, {
    meters: { input: countTokens('Hello, world'), output_text: countTokens('Good morning') },
    origin: 'estimated',
    raw: '',
  });
});

test('output that was not kept is counted at the rate of what was kept', async () => {
  const output = PROSE.repeat(10);
  const kept = await estimator.estimate({ input: '', output, extraOutputChars: 0 });
  const doubled = await estimator.estimate({ input: '', output, extraOutputChars: output.length });
  assert.equal(doubled.meters.output_text, (kept.meters.output_text ?? Number.NaN) * 2);
});

test('output of which nothing was kept is counted at four characters per token', async () => {
  const usage = await estimator.estimate({ input: '', output: '', extraOutputChars: 401 });
  assert.deepEqual(usage.meters, { input: 0, output_text: 101 });
});

test('slices of prose are counted as the whole is', () => {
  const text = PROSE.repeat(100);
  assert.ok(text.length > SLICE_CHARS_MAX * 10);
  assert.equal(estimateTokens(text), countTokens(text));
});

test('a quoted special token is text', () => {
  assert.ok(estimateTokens('<|endoftext|>') > 1);
});

test('any text has an estimate, broken characters included', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'binary', maxLength: 2_000 }), (text) => {
      const tokens = estimateTokens(text);
      assert.ok(Number.isSafeInteger(tokens) && tokens >= 0 && (text === '' || tokens > 0));
    }),
  );
});

test('beyond the counted characters the rest is taken to be alike', () => {
  const text = PROSE.repeat(Math.ceil((COUNTED_CHARS_MAX * 2) / PROSE.length));
  const perChar = estimateTokens(PROSE.repeat(100)) / (PROSE.length * 100);
  assert.ok(Math.abs(estimateTokens(text) / (text.length * perChar) - 1) < 0.01);
});

test('one long word is counted while the caller goes on', async () => {
  const progress = { done: false };
  const word = '漢字仮名'.repeat(5_000);
  const counted = estimator
    .estimate({ input: word, output: '', extraOutputChars: 0 })
    .finally(() => (progress.done = true));
  let turns = 0;
  for (; !progress.done; turns++) await setImmediate();
  assert.ok(turns > 10, `${turns} turns of the event loop`);
  assert.ok(((await counted).meters.input ?? 0) > 0);
});

test('a closed estimator answers those who wait, and a later estimate starts anew', async () => {
  const other = createEstimator();
  const waiting = other.estimate({ input: 'x '.repeat(500_000), output: '', extraOutputChars: 0 });
  await other.close();
  assert.deepEqual((await waiting).meters, { input: 250_000, output_text: 0 });
  const usage = await other.estimate({ input: 'Hello', output: '', extraOutputChars: 0 });
  assert.deepEqual(usage.meters, { input: 1, output_text: 0 });
  await other.close();
});
