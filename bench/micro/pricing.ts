// Microseconds of CPU to meter and rate one call: read the usage, find the prices, make the charges. Target: ≤ 5 together.
import { loadPriceBook, rate, upperBound } from '#pricing';
import { systemClock } from '#std';
import { parseOpenAiUsage } from '../../src/wires/openai/usage.ts';

const ROUNDS = 200_000;

const usageText = JSON.stringify({
  prompt_tokens: 2006,
  completion_tokens: 300,
  total_tokens: 2306,
  prompt_tokens_details: { cached_tokens: 1920, audio_tokens: 0 },
  completion_tokens_details: { reasoning_tokens: 128, audio_tokens: 0, accepted_prediction_tokens: 0 },
});

const book = await loadPriceBook();
const at = systemClock.now();
const models = ['gpt-4o', 'gpt-5.5', 'o3', 'gpt-5.6-sol-2026-08-21'];
const find = (i: number) => book.find({ provider: 'openai', model: models[i % models.length] ?? '', at });
const parse = () => parseOpenAiUsage(usageText, { serviceTier: 'default' });
const usage = parse();

measure('find', find);
measure('parse usage', parse);
measure('rate', (i) => usage && rate(usage, find(i)));
measure('upper bound', (i) => upperBound(find(i), { inputTokens: 2048, outputTokens: 512, n: 1 }));
measure('parse usage + find + rate', (i) => {
  const read = parse();
  return read && rate(read, find(i));
});

function measure(name: string, run: (i: number) => unknown): void {
  for (let i = 0; i < ROUNDS / 10; i++) run(i);
  const start = systemClock.elapsedMs();
  for (let i = 0; i < ROUNDS; i++) run(i);
  const micros = ((systemClock.elapsedMs() - start) * 1000) / ROUNDS;
  process.stdout.write(`${name.padEnd(28)} ${micros.toFixed(2)} µs\n`);
}
