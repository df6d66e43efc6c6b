import assert from 'node:assert/strict';
import { test, type TestContext } from 'node:test';
import type { RoutingConfig } from '#config';
import { systemClock, type TimestampMs } from '#std';
import { anthropicCountTokens, anthropicMessages, openAiChat } from '#wires';
import { provider } from './provider.fixture.ts';
import { Routing, type Itinerary, type Verdict } from './routing.ts';
import { Upstreams } from './upstreams.ts';

const PASSING: Verdict = { worthAnother: true, passing: true, retryAfterMs: null };
const ELSEWHERE: Verdict = { worthAnother: true, passing: false, retryAfterMs: null };
const FINE: Verdict = { worthAnother: false, passing: false, retryAfterMs: null };

const deployment = (name: string, model: string, weight = 1) => ({ provider: name, model, weight });

const CONFIG: RoutingConfig = {
  routes: [
    { name: 'alias', deployments: [deployment('a', 'm')], fallbacks: [] },
    { name: 'shared', deployments: [deployment('a', 'm', 3), deployment('b', 'm', 1)], fallbacks: [] },
    { name: 'safe', deployments: [deployment('a', 'm')], fallbacks: ['alias-b', 'c/other'] },
    { name: 'alias-b', deployments: [deployment('b', 'm')], fallbacks: [] },
  ],
  retries: { maxAttempts: 3, backoffMs: 100, maxBackoffMs: 1_000, whenUnknown: 'stop', plainModels: false },
  cooldown: { failures: 2, forMs: 30_000 },
};

function open(t: TestContext, changes: { config?: Partial<RoutingConfig>; draws?: number[] } = {}) {
  const upstreams = new Upstreams({
    providers: ['a', 'b', 'c'].map((name) => provider(name)),
    clock: systemClock,
    sandboxSocket: null,
    pricedModels: () => [],
    timeouts: { connectMs: 1_000, firstByteMs: 1_000, idleMs: 1_000, totalMs: 1_000 },
  });
  t.after(() => upstreams.close());
  const time = { elapsedMs: 0 };
  const draws = [...(changes.draws ?? [])];
  const routing = new Routing({
    upstreams,
    config: { ...CONFIG, ...changes.config },
    clock: { now: () => 0 as TimestampMs, elapsedMs: () => time.elapsedMs },
    random: () => draws.shift() ?? 0,
  });
  return { routing, time };
}

function stops(itinerary: Itinerary | undefined, verdicts: readonly Verdict[]): string[] {
  assert.ok(itinerary !== undefined);
  const seen = [itinerary.first()];
  for (const verdict of verdicts) {
    const next = itinerary.next(verdict);
    if (next === null) break;
    seen.push(next);
  }
  return seen.map(({ upstream, model, cause, waitMs }) => `${cause} ${upstream.name}/${model} +${waitMs}`);
}

test('an alias is one deployment, tried again with a growing pause', (t) => {
  const { routing } = open(t);
  assert.deepEqual(stops(routing.plan('alias', openAiChat), [PASSING, PASSING, PASSING]), [
    'first a/m +0',
    'retry a/m +50',
    'retry a/m +100',
  ]);
});

test('a model that is no route is tried once, unless the settings state retries', (t) => {
  assert.deepEqual(stops(open(t).routing.plan('a/x', openAiChat), [PASSING]), ['first a/x +0']);
  const { routing } = open(t, { config: { retries: { ...CONFIG.retries, plainModels: true } } });
  assert.deepEqual(stops(routing.plan('a/x', openAiChat), [PASSING]), ['first a/x +0', 'retry a/x +50']);
});

test('weights share the calls, and the one that was not drawn takes over without a pause', (t) => {
  const first = (draw: number) => stops(open(t, { draws: [draw, 0] }).routing.plan('shared', openAiChat), [ELSEWHERE]);
  assert.deepEqual(first(0.74), ['first a/m +0', 'retry b/m +0']);
  assert.deepEqual(first(0.76), ['first b/m +0', 'retry a/m +0']);
});

test('fallbacks follow in their order, by name of a route or of a model', (t) => {
  const { routing } = open(t);
  assert.deepEqual(stops(routing.plan('safe', openAiChat), [ELSEWHERE, PASSING, PASSING]), [
    'first a/m +0',
    'fallback b/m +0',
    'fallback c/other +0',
  ]);
});

test('what another attempt cannot mend is not tried again', (t) => {
  const { routing } = open(t);
  assert.deepEqual(stops(routing.plan('safe', openAiChat), [FINE]), ['first a/m +0']);
  assert.deepEqual(stops(routing.plan('alias', openAiChat), [ELSEWHERE]), ['first a/m +0']);
});

test('a provider that asks for more patience than the settings allow is not waited for', (t) => {
  const { routing } = open(t);
  assert.deepEqual(stops(routing.plan('alias', openAiChat), [{ ...PASSING, retryAfterMs: 700 }]), [
    'first a/m +0',
    'retry a/m +700',
  ]);
  assert.deepEqual(stops(routing.plan('alias', openAiChat), [{ ...PASSING, retryAfterMs: 1_001 }]), ['first a/m +0']);
});

test('a deployment that failed in a row is passed over until its time is up, or it answers', (t) => {
  const { routing, time } = open(t);
  const first = () => routing.plan('safe', openAiChat)?.first();
  const failing = first();
  assert.ok(failing !== undefined);
  routing.report(failing, PASSING);
  assert.equal(first()?.upstream.name, 'a');
  routing.report(failing, PASSING);
  assert.equal(first()?.upstream.name, 'b');
  time.elapsedMs = 30_000;
  assert.equal(first()?.upstream.name, 'a');
  routing.report(failing, PASSING);
  assert.equal(first()?.upstream.name, 'b');
  routing.report(failing, FINE);
  assert.equal(first()?.upstream.name, 'a');
});

test('with every deployment cooling down one is tried all the same', (t) => {
  const { routing } = open(t);
  const step = routing.plan('alias', openAiChat)?.first();
  assert.ok(step !== undefined);
  for (let failures = 0; failures < 5; failures += 1) routing.report(step, PASSING);
  assert.equal(routing.plan('alias', openAiChat)?.first().upstream.name, 'a');
});

test('deployments that speak another dialect are stops of calls that can be translated, and of no others', (t) => {
  const { routing } = open(t);
  assert.equal(routing.plan('safe', anthropicMessages)?.first().wire.far?.dialect, 'openai');
  assert.equal(routing.plan('safe', anthropicCountTokens), undefined);
});
