import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { RoutingConfig } from '#config';
import { anthropicCountTokens, anthropicMessages } from '#wires';
import type { Visit, Visited } from './route/deployment.ts';
import type { Step, Verdict } from './route/itinerary.ts';
import { fractionOf } from './route/sessions.ts';
import { deployment, openRouting, route, tagsOf, usd, type Opened } from './routing.fixture.ts';
import type { Planned } from './routing.ts';

const PASSING: Verdict = { worthAnother: true, passing: true, retryAfterMs: null };
const ELSEWHERE: Verdict = { worthAnother: true, passing: false, retryAfterMs: null };
const FINE: Verdict = { worthAnother: false, passing: false, retryAfterMs: null };

const WELL: Visited = { health: 'well', firstByteMs: 10, retryAfterMs: null, tokens: null };
const FAILED: Visited = { health: 'failed', firstByteMs: null, retryAfterMs: null, tokens: null };

const CONFIG: Partial<RoutingConfig> = {
  routes: [
    route('alias', [deployment('a/m')]),
    route('shared', [deployment('a/m', { weight: 3 }), deployment('b/m')]),
    route('safe', [deployment('a/m')], { fallbacks: ['alias-b', 'c/other'] }),
    route('alias-b', [deployment('b/m')]),
  ],
  retries: { maxAttempts: 3, backoffMs: 100, maxBackoffMs: 1_000, whenUnknown: 'stop', plainModels: false },
  cooldown: { failures: 2, forMs: 30_000, failureRate: 50, windowMs: 60_000, minCalls: 20 },
};

function stops({ itinerary }: Planned, verdicts: readonly Verdict[]): string[] {
  assert.ok(itinerary !== null);
  const seen = [itinerary.first()];
  for (const verdict of verdicts) {
    const next = itinerary.next(verdict);
    if (next === null) break;
    seen.push(next);
  }
  return seen.map(({ upstream, model, cause, waitMs }) => `${cause} ${upstream.name}/${model} +${waitMs}`);
}

function firstOf({ itinerary }: Planned): Step {
  assert.ok(itinerary !== null);
  return itinerary.first();
}

let visitors = 0;

function enter({ routing }: Opened, step: Step, about: { route?: string; session?: string } = {}): Visit {
  visitors += 1;
  const visitor = { attempt: `call.${visitors}`, tokens: 10, stream: false, route: '', session: null, ...about };
  const entrance = routing.enter(step, visitor);
  assert.ok(entrance.kind === 'entered', entrance.kind);
  return entrance.visit;
}

function go(opened: Opened, step: Step, visited: Visited): void {
  enter(opened, step).end(visited);
}

test('an alias is one deployment, tried again with a growing pause', (t) => {
  const { plan } = openRouting(t, { config: CONFIG });
  assert.deepEqual(stops(plan('alias'), [PASSING, PASSING, PASSING]), [
    'first a/m +0',
    'retry a/m +50',
    'retry a/m +100',
  ]);
});

test('a model that is no route is tried once, unless the settings state retries', (t) => {
  assert.deepEqual(stops(openRouting(t, { config: CONFIG }).plan('a/x'), [PASSING]), ['first a/x +0']);
  const { retries } = { ...CONFIG };
  assert.ok(retries !== undefined);
  const { plan } = openRouting(t, { config: { ...CONFIG, retries: { ...retries, plainModels: true } } });
  assert.deepEqual(stops(plan('a/x'), [PASSING]), ['first a/x +0', 'retry a/x +50']);
});

test('weights share the calls, and the one that was not drawn takes over without a pause', (t) => {
  let drawn = 0;
  const random = (): number => fractionOf(String((drawn += 1)));
  const { plan } = openRouting(t, { config: CONFIG, random });
  const ways = Array.from({ length: 1_000 }, () => stops(plan('shared'), [ELSEWHERE]));
  const fromA = ways.filter(([first]) => first === 'first a/m +0').length;
  assert.ok(fromA > 700 && fromA < 800, `${fromA} of 1000`);
  for (const [first, second] of ways) assert.equal(second, first === 'first a/m +0' ? 'retry b/m +0' : 'retry a/m +0');
});

test('fallbacks follow in their order, by name of a route or of a model', (t) => {
  const { plan } = openRouting(t, { config: CONFIG });
  assert.deepEqual(stops(plan('safe'), [ELSEWHERE, PASSING, PASSING]), [
    'first a/m +0',
    'fallback b/m +0',
    'fallback c/other +0',
  ]);
});

test('deployments of the route leave room for a fallback among the attempts', (t) => {
  const many = route(
    'many',
    ['a/1', 'a/2', 'a/3', 'a/4'].map((name) => deployment(name)),
    { fallbacks: ['b/m'] },
  );
  const { plan } = openRouting(t, { config: { ...CONFIG, routes: [many] } });
  assert.deepEqual(stops(plan('many'), [ELSEWHERE, ELSEWHERE, ELSEWHERE]), [
    'first a/1 +0',
    'retry a/2 +0',
    'fallback b/m +0',
  ]);
});

test('what another attempt cannot mend is not tried again', (t) => {
  const { plan } = openRouting(t, { config: CONFIG });
  assert.deepEqual(stops(plan('safe'), [FINE]), ['first a/m +0']);
  assert.deepEqual(stops(plan('alias'), [ELSEWHERE]), ['first a/m +0']);
});

test('a provider that asks for more patience than the settings allow is not waited for', (t) => {
  const { plan } = openRouting(t, { config: CONFIG });
  const asks = (retryAfterMs: number) => stops(plan('alias'), [{ ...PASSING, retryAfterMs }]);
  assert.deepEqual(asks(700), ['first a/m +0', 'retry a/m +700']);
  assert.deepEqual(asks(1_001), ['first a/m +0']);
});

test('a deployment that failed in a row is passed over until its time is up, or it answers', (t) => {
  const opened = openRouting(t, { config: CONFIG });
  const first = () => firstOf(opened.plan('safe'));
  const failing = first();
  go(opened, failing, FAILED);
  assert.equal(first().upstream.name, 'a');
  go(opened, failing, FAILED);
  assert.equal(first().upstream.name, 'b');
  opened.time.elapsedMs = 30_000;
  assert.equal(first().upstream.name, 'a');
  go(opened, failing, FAILED);
  assert.equal(first().upstream.name, 'b');
  go(opened, { ...failing, as: 'resting' }, WELL);
  assert.equal(first().upstream.name, 'a');
});

test('one call at a time asks a deployment whether it is well again; the others go elsewhere', (t) => {
  const opened = openRouting(t, { config: CONFIG });
  const failing = firstOf(opened.plan('safe'));
  for (let failed = 0; failed < 2; failed += 1) go(opened, failing, FAILED);
  opened.time.elapsedMs = 30_000;
  const [asks, late] = [opened.plan('safe'), opened.plan('safe')];
  const asking = enter(opened, firstOf(asks));
  assert.equal(firstOf(opened.plan('safe')).upstream.name, 'b');
  // It was planned before the other one began to ask.
  const step = firstOf(late);
  const entrance = opened.routing.enter(step, { attempt: 'l', tokens: 1, stream: false, route: 'safe', session: null });
  assert.equal(entrance.kind, 'resting');
  assert.equal(late.itinerary?.insteadOfResting()?.upstream.name, 'b');
  asking.end(WELL);
  assert.equal(firstOf(opened.plan('safe')).upstream.name, 'a');
  assert.deepEqual(
    opened.routing.states().map(({ id, state, running }) => [id, state, running]),
    [
      ['a/m', 'closed', 0],
      ['b/m', 'closed', 0],
      ['c/other', 'closed', 0],
    ],
  );
});

test('a deployment of which half the calls fail is passed over, though no two failed in a row', (t) => {
  const cooldown = { failures: 2, forMs: 30_000, failureRate: 50, windowMs: 60_000, minCalls: 20 };
  const opened = openRouting(t, { config: { ...CONFIG, cooldown } });
  const step = firstOf(opened.plan('safe'));
  for (let calls = 0; calls < 18; calls += 1) go(opened, step, calls % 2 === 0 ? FAILED : WELL);
  assert.equal(firstOf(opened.plan('safe')).upstream.name, 'a');
  go(opened, step, WELL);
  go(opened, step, FAILED);
  assert.equal(firstOf(opened.plan('safe')).upstream.name, 'b');
});

test('with every deployment resting one is tried all the same', (t) => {
  const opened = openRouting(t, { config: CONFIG });
  const step = firstOf(opened.plan('alias'));
  for (let failures = 0; failures < 5; failures += 1) go(opened, { ...step, as: 'resting' }, FAILED);
  const again = firstOf(opened.plan('alias'));
  assert.deepEqual([again.upstream.name, again.as], ['a', 'resting']);
});

test('deployments that speak another dialect are stops of calls that can be translated, and of no others', (t) => {
  const { plan } = openRouting(t, { config: CONFIG });
  assert.equal(firstOf(plan('safe', { wire: anthropicMessages })).wire.far?.dialect, 'openai');
  assert.equal(plan('safe', { wire: anthropicCountTokens }).itinerary, null);
});

const three = ['a/m', 'b/m', 'c/m'].map((name) => deployment(name));

const orderOf = (planned: Planned): string => planned.considered.map(({ place }) => place.deployment.provider).join('');

test('ordered takes them as they stand, cheapest by what the call will probably cost, what has no price last', (t) => {
  const prices = new Map([
    ['a', usd(30n)],
    ['c', usd(10n)],
  ]);
  const expected = ({ upstream }: { upstream: { name: string } }) => prices.get(upstream.name) ?? null;
  const routes = [route('fixed', three, { strategy: 'ordered' }), route('cheap', three, { strategy: 'cheapest' })];
  const { plan } = openRouting(t, { config: { ...CONFIG, routes }, random: () => 0.5 });
  assert.equal(orderOf(plan('fixed', { expected })), 'abc');
  assert.equal(orderOf(plan('cheap', { expected })), 'cab');
});

test('least_busy takes the one with the fewest calls that run', (t) => {
  const routes = [route('calm', three, { strategy: 'least_busy' })];
  const opened = openRouting(t, { config: { ...CONFIG, routes } });
  const visits = [0, 1, 2, 3].map(() => {
    const step = firstOf(opened.plan('calm'));
    return { name: step.upstream.name, visit: enter(opened, step) };
  });
  assert.equal(visits.map(({ name }) => name).join(''), 'abca');
  visits[1]?.visit.end(WELL);
  assert.equal(orderOf(opened.plan('calm')), 'bca');
  visits[2]?.visit.cancel();
  assert.equal(orderOf(opened.plan('calm')), 'bca');
});

test('fastest takes the one that answers first, and measures anew who was not asked for a minute', (t) => {
  const routes = [route('quick', three, { strategy: 'fastest' })];
  const opened = openRouting(t, { config: { ...CONFIG, routes } });
  const answers: Readonly<Record<string, number>> = { a: 300, b: 100, c: 200 };
  const seen: string[] = [];
  for (let calls = 0; calls < 4; calls += 1) {
    const step = firstOf(opened.plan('quick'));
    seen.push(step.upstream.name);
    go(opened, step, { ...WELL, firstByteMs: answers[step.upstream.name] ?? 0 });
  }
  assert.equal(seen.join(''), 'abcb');
  assert.equal(orderOf(opened.plan('quick')), 'bca');
  opened.time.elapsedMs = 30_000;
  go(opened, firstOf(opened.plan('quick')), { ...WELL, firstByteMs: 100 });
  opened.time.elapsedMs = 61_000;
  assert.equal(orderOf(opened.plan('quick')), 'acb');
  // While one call measures it, the others go where it is known to be fast.
  enter(opened, firstOf(opened.plan('quick')));
  enter(opened, firstOf(opened.plan('quick')));
  assert.equal(orderOf(opened.plan('quick')), 'bac');
});

test('a session stays where it is while that is well, and comes to the same deployment on every node', (t) => {
  const routes = [
    route('spread', three, { sticky: true }),
    route('calm', three, { sticky: true, strategy: 'least_busy' }),
  ];
  const nodes = [
    openRouting(t, { config: { ...CONFIG, routes } }),
    openRouting(t, { config: { ...CONFIG, routes }, random: () => 0.7 }),
  ];
  const places = new Set<string>();
  for (let sessions = 0; sessions < 40; sessions += 1) {
    const tags = tagsOf({ session_id: `session ${sessions}` });
    const [here = '', there] = nodes.map(({ plan }) => orderOf(plan('spread', { tags })));
    assert.equal(here, there);
    places.add(here.charAt(0));
  }
  assert.deepEqual([...places].toSorted(), ['a', 'b', 'c']);

  const [opened] = nodes;
  assert.ok(opened !== undefined);
  const tags = tagsOf({ session_id: 's' });
  const first = firstOf(opened.plan('calm', { tags }));
  enter(opened, first, { route: 'calm', session: 's' }).end(WELL);
  enter(opened, first);
  assert.equal(firstOf(opened.plan('calm', { tags })).upstream.name, first.upstream.name);
  for (let failed = 0; failed < 2; failed += 1) go(opened, first, FAILED);
  assert.notEqual(firstOf(opened.plan('calm', { tags })).upstream.name, first.upstream.name);
});

test('a deployment takes no more than its limits, and is asked again when there is room', (t) => {
  const limits = { requestsPerMinute: 2, tokensPerMinute: null, parallel: 1 };
  const routes = [route('held', [deployment('a/m', { limits }), deployment('b/m')], { strategy: 'ordered' })];
  const opened = openRouting(t, { config: { ...CONFIG, routes } });
  const step = firstOf(opened.plan('held'));
  const visitor = { tokens: 5, stream: false, route: 'held', session: null };
  const held = enter(opened, step);
  const refused = opened.routing.enter(step, { ...visitor, attempt: 'x' });
  assert.equal(refused.kind === 'limited' ? refused.answer.by.measure : refused.kind, 'parallel');
  held.cancel();
  go(opened, step, WELL);
  go(opened, step, WELL);
  const over = opened.routing.enter(step, { ...visitor, attempt: 'y' });
  assert.equal(over.kind === 'limited' ? over.answer.by.measure : over.kind, 'requests');
  opened.time.elapsedMs = 30_000;
  assert.equal(opened.routing.enter(step, { ...visitor, attempt: 'z' }).kind, 'entered');
});
