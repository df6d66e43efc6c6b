// Microseconds of CPU to meter and rate one call: read the usage, find the prices, make the charges. Target: ≤ 5 together.
import { loadPriceBook, makePrices, parsePriceTerm, combineTerms, type PricedAttempt } from '#pricing';
import { systemClock } from '#std';
import { NO_QUIRKS } from '#wires';
import { openAiChatUsage } from '../../src/wires/openai/index.ts';

const ROUNDS = 200_000;

const usageText = JSON.stringify({
  prompt_tokens: 2006,
  completion_tokens: 300,
  total_tokens: 2306,
  prompt_tokens_details: { cached_tokens: 1920, audio_tokens: 0 },
  completion_tokens_details: { reasoning_tokens: 128, audio_tokens: 0, accepted_prediction_tokens: 0 },
});

const book = await loadPriceBook();
const prices = makePrices(book);
const agreed = makePrices(
  book,
  combineTerms([
    parsePriceTerm({ kind: 'contract', id: 'tier', provider: 'openai', service_tier: 'scale', discount: '0.3' }),
    parsePriceTerm({ kind: 'contract', id: 'all', provider: 'openai', discount: '0.125' }),
    parsePriceTerm({ kind: 'markup', id: 'acme', tag: { key: 'customer', value: 'acme' }, markup: '0.035' }),
  ]),
);
const attempts = ['gpt-4o-2024-08-06', 'gpt-5.5', 'o3', 'gpt-5.6-sol-2026-08-21'].map((answered): PricedAttempt => ({
  provider: 'openai',
  account: 'openai',
  answered,
  asked: 'gpt-4o',
  region: '',
  at: systemClock.now(),
  payer: { key: 'key_1', team: 'search', dimensions: new Map([['customer', { value: 'acme' }]]) },
}));
const attemptOf = (i: number): PricedAttempt => {
  const attempt = attempts[i % attempts.length];
  if (attempt === undefined) throw new Error('there are attempts');
  return attempt;
};
const parse = () => openAiChatUsage(JSON.parse(usageText), { quirks: NO_QUIRKS, serviceTier: 'default' });
const usage = parse();

measure('parse usage', parse);
measure('price', (i) => usage && prices.price(usage, attemptOf(i)));
measure('price, contract and markup', (i) => usage && agreed.price(usage, attemptOf(i)));
measure('bound', (i) => prices.bound(attemptOf(i), { inputTokens: 2048, outputTokens: 512, n: 1 }));
measure('parse usage + price', (i) => {
  const read = parse();
  return read && prices.price(read, attemptOf(i));
});

function measure(name: string, run: (i: number) => unknown): void {
  for (let i = 0; i < ROUNDS / 10; i++) run(i);
  const start = systemClock.elapsedMs();
  for (let i = 0; i < ROUNDS; i++) run(i);
  const micros = ((systemClock.elapsedMs() - start) * 1000) / ROUNDS;
  process.stdout.write(`${name.padEnd(28)} ${micros.toFixed(2)} µs\n`);
}
