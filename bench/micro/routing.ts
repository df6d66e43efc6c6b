import { NO_LIMITS, NO_ROUTING, type ModelRoute, type Strategy } from '#config';
import { loadPriceBook, makePrices } from '#pricing';
import { createRandom, systemClock } from '#std';
import { DEFAULT_TAG_RULES, readBodyTags, resolveTags } from '#tags';
import { openAiChat } from '#wires';
import { provider } from '../../src/gateway/provider.fixture.ts';
import { Routing, type Asking } from '../../src/gateway/routing.ts';
import { Upstreams } from '../../src/gateway/upstreams.ts';

/** What it costs the gateway's thread to decide where a call goes, in microseconds of processor time. `node bench/micro/routing.ts` */
const SIZES = [1, 4, 32];
const STRATEGIES: readonly Strategy[] = ['weighted', 'cheapest', 'fastest', 'least_busy'];
const ROUNDS = 20_000;

const prices = makePrices(await loadPriceBook());
const names = Array.from({ length: 32 }, (_, at) => `p${at}`);
const upstreams = new Upstreams({
  providers: names.map((name) => provider(name, { priceAs: 'openai' })),
  clock: systemClock,
  sandboxSocket: null,
  pricedModels: () => ['gpt-4o-mini'],
  timeouts: { connectMs: 1_000, firstByteMs: 1_000, idleMs: 1_000, totalMs: 1_000 },
});
const random = createRandom();
const { declaration } = readBodyTags({ tags: '["paid","feature:chat","env:prod"]', session_id: '"s"' });
const tags = resolveTags(new Map([['body', declaration]]), { keyTeam: 'core', rules: DEFAULT_TAG_RULES });

function routeOf(strategy: Strategy, size: number, sticky: boolean): ModelRoute {
  const deployments = names.slice(0, size).map((name, at) => ({
    id: `${name}/gpt-4o-mini`,
    provider: name,
    model: 'gpt-4o-mini',
    weight: 1 + (at % 3),
    tags: at % 2 === 0 ? ['paid', 'default'] : ['paid'],
    limits: NO_LIMITS,
  }));
  return { name: `${strategy} ${size}${sticky ? ' sticky' : ''}`, strategy, sticky, deployments, fallbacks: [] };
}

const routes = SIZES.flatMap((size) => [
  ...STRATEGIES.map((strategy) => routeOf(strategy, size, false)),
  routeOf('weighted', size, true),
]);
const routing = new Routing({
  upstreams,
  config: { ...NO_ROUTING, routes },
  clock: systemClock,
  random: () => random(4).reduce((sum, byte) => sum * 256 + byte, 0) / 2 ** 32,
});

function asking(model: string): Asking {
  return {
    model,
    wire: openAiChat,
    tags,
    stream: false,
    expected: ({ upstream, model: asked }) =>
      prices.bound(
        {
          provider: upstream.priceAs,
          account: upstream.name,
          answered: '',
          asked,
          region: '',
          at: systemClock.now(),
          payer: { key: 'key_1', team: 'core', dimensions: tags.dimensions },
        },
        { inputTokens: 300, outputTokens: 200, n: 1 },
      ),
  };
}

const visitor = { attempt: 'call.1', tokens: 500, stream: false, route: '', session: 's' };
const ended = { health: 'well', firstByteMs: 100, retryAfterMs: null, tokens: 400 } as const;

/** Plans, enters and leaves: all that routing adds to a call. */
function call(question: Asking): void {
  const { itinerary } = routing.plan(question);
  if (itinerary === null) throw new Error('there is a way');
  const entrance = routing.enter(itinerary.first(), { ...visitor, route: question.model });
  if (entrance.kind !== 'entered') throw new Error('there is room');
  entrance.visit.end(ended);
}

for (const name of ['p0/gpt-4o-mini', ...routes.map((route) => route.name)]) {
  const question = asking(name);
  for (let round = 0; round < ROUNDS; round += 1) call(question);
  const before = process.cpuUsage();
  for (let round = 0; round < ROUNDS; round += 1) call(question);
  const { user, system } = process.cpuUsage(before);
  process.stdout.write(`${((user + system) / ROUNDS).toFixed(2).padStart(7)} µs  ${name}\n`);
}
await upstreams.close();
