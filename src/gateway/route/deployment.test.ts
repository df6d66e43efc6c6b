import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { NO_LIMITS } from '#config';
import type { TimestampMs } from '#std';
import { Deployment, type Visit, type Visited } from './deployment.ts';

const COOLDOWN = { failures: 2, forMs: 1_000, failureRate: 50, windowMs: 5_000, minCalls: 6 };

type Step =
  | { readonly is: 'enter' }
  | { readonly is: 'end'; readonly which: number; readonly health: Visited['health'] }
  | { readonly is: 'cancel'; readonly which: number }
  | { readonly is: 'wait'; readonly ms: number };

const which = fc.nat({ max: 5 });

const step: fc.Arbitrary<Step> = fc.oneof(
  { weight: 4, arbitrary: fc.constant<Step>({ is: 'enter' }) },
  {
    weight: 4,
    arbitrary: fc.record({
      is: fc.constant('end' as const),
      which,
      health: fc.constantFrom<Visited['health']>('well', 'failed', 'failed', 'unknown'),
    }),
  },
  { weight: 1, arbitrary: fc.record({ is: fc.constant('cancel' as const), which }) },
  {
    weight: 2,
    arbitrary: fc.record({ is: fc.constant('wait' as const), ms: fc.constantFrom(100, 600, 1_000, 5_000) }),
  },
);

test('whatever happens: while it rests nobody enters, one at a time asks whether it is well, and everybody leaves once', () => {
  fc.assert(
    fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
      const time = { ms: 0 };
      const clock = { now: () => time.ms as TimestampMs, elapsedMs: () => time.ms };
      const deployment = new Deployment(
        { id: 'a/m', provider: 'a', model: 'm' },
        { ...NO_LIMITS, parallel: 4 },
        { clock, cooldown: COOLDOWN },
      );
      let inside: { readonly visit: Visit; readonly asks: boolean }[] = [];
      let entered = 0;
      for (const one of steps) {
        if (one.is === 'wait') time.ms += one.ms;
        if (one.is === 'enter') {
          const { state } = deployment.state();
          const asking = inside.some(({ asks }) => asks);
          entered += 1;
          const entrance = deployment.enter({ attempt: `call.${entered}`, tokens: 1, stream: false }, 'well');
          if (state === 'open' || (state === 'half_open' && asking)) assert.equal(entrance.kind, 'resting');
          else assert.equal(entrance.kind, inside.length < 4 ? 'entered' : 'limited');
          if (entrance.kind === 'entered') inside.push({ visit: entrance.visit, asks: state === 'half_open' });
        }
        if (one.is === 'end' || one.is === 'cancel') {
          const leaving = inside[one.which];
          if (leaving === undefined) continue;
          const { visit } = leaving;
          if (one.is === 'cancel') visit.cancel();
          else visit.end({ health: one.health, firstByteMs: 1, retryAfterMs: null, tokens: null });
          // Whoever tells it twice changes nothing.
          visit.cancel();
          visit.end({ health: 'failed', firstByteMs: null, retryAfterMs: null, tokens: null });
          inside = inside.filter((other) => other !== leaving);
        }
        assert.equal(deployment.running, inside.length);
      }
    }),
    { numRuns: 1_000 },
  );
});

test('after a retry-after it rests for that long, at most for the cooldown, and takes all calls again', () => {
  for (const [asked, rests] of [
    [300, 300],
    [60_000, 1_000],
  ] as const) {
    const time = { ms: 0 };
    const clock = { now: () => time.ms as TimestampMs, elapsedMs: () => time.ms };
    const deployment = new Deployment({ id: 'a/m', provider: 'a', model: 'm' }, NO_LIMITS, {
      clock,
      cooldown: COOLDOWN,
    });
    const entrance = deployment.enter({ attempt: 'one', tokens: 1, stream: false }, 'well');
    assert.ok(entrance.kind === 'entered');
    entrance.visit.end({ health: 'failed', firstByteMs: null, retryAfterMs: asked, tokens: null });
    assert.equal(deployment.state().state, 'open');
    time.ms = rests - 1;
    assert.equal(deployment.isWell, false);
    time.ms = rests;
    assert.equal(deployment.state().state, 'closed');
  }
});

test('tokens are held as expected and counted as they were', () => {
  const time = { ms: 0 };
  const clock = { now: () => time.ms as TimestampMs, elapsedMs: () => time.ms };
  const limits = { ...NO_LIMITS, tokensPerMinute: 1_000 };
  const deployment = new Deployment({ id: 'a/m', provider: 'a', model: 'm' }, limits, { clock, cooldown: COOLDOWN });
  const enter = (attempt: string, tokens: number) => deployment.enter({ attempt, tokens, stream: false }, 'well');
  const first = enter('one', 900);
  assert.ok(first.kind === 'entered');
  assert.equal(enter('two', 200).kind, 'limited');
  first.visit.end({ health: 'well', firstByteMs: 1, retryAfterMs: null, tokens: 100 });
  assert.equal(enter('three', 900).kind, 'entered');
  assert.equal(enter('four', 1).kind, 'limited');
  time.ms = 6_000;
  assert.equal(enter('five', 100).kind, 'entered');
});
