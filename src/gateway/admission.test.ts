import assert from 'node:assert/strict';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import fc from 'fast-check';
import { NO_LIMITS, type RouteDeployment, type RoutingConfig } from '#config';
import type { Budget } from '#budgets';
import { openJournal, type Journal } from '#ledger';
import { createLog, createMetrics } from '#observe';
import { loadPriceBook, makePrices, type Prices } from '#pricing';
import { createRandom, scanJsonObject, systemClock } from '#std';
import { NO_TAGS } from '#tags';
import { ApportionError, makeCallId, picoUsd } from '#terms';
import { NO_TARGET, openAiChat } from '#wires';
import type { Accepted } from './accept.ts';
import { admit, type AdmitDeps, type Admitted } from './admission.ts';
import type { Journey } from './attempt.ts';
import { NO_BATCH_WORK } from './batches/batch-work.ts';
import { askingOf } from './expected.ts';
import { Recording } from './recording.ts';
import { Refusals } from './refusals.ts';
import { askedTags, misfits, toRouteTag } from './route/route-tags.ts';
import { foresee } from './route-explain.ts';
import { CALL_ROUTES } from './routes.ts';
import { deployment, openRouting, route, tagsOf, type Opened } from './routing.fixture.ts';
import { NO_CALLER_ATTRIBUTION } from './tagging.ts';

const ANY = { enabled: true, match: 'any', prefix: '' } as const;
const random = createRandom();
const caller = {
  id: 'key_1',
  name: 'one',
  team: '',
  owner: '',
  models: [],
  attribution: NO_CALLER_ATTRIBUTION,
  access: null,
};
const CHAT = CALL_ROUTES.get('/chat/completions');

function accepted(fields: object): Accepted {
  const bytes = Buffer.from(JSON.stringify(fields));
  const scan = scanJsonObject(bytes);
  assert.ok(scan.ok);
  const members = new Map(scan.members.map((member) => [member.key, member]));
  const startedAt = systemClock.now();
  const body = { bytes, members, form: null, target: NO_TARGET };
  return { callId: makeCallId(startedAt, random(10)), startedAt, startedMs: 0, body };
}

/** A budget that has nothing left for a provider. */
const usedUp = (provider: string): Budget => ({
  id: `${provider} is out`,
  name: `${provider} is out`,
  scope: [{ on: 'provider', values: { kind: 'is', value: provider } }],
  counts: 'declared',
  effectiveFrom: null,
  effectiveTo: null,
  limit: picoUsd(0n),
  window: { kind: 'total' },
  mode: 'strict',
  action: { kind: 'block' },
  outage: 'refuse',
  thresholds: [],
  raise: null,
});

describe('admission among the deployments of a route', () => {
  let dir: string;
  let journal: Journal;
  let prices: Prices;

  before(async () => {
    dir = await mkdtemp(join(tmpdir(), 'apportion-admission-'));
    journal = await openJournal({ dir, nodeId: 'n', clock: systemClock });
    prices = makePrices(await loadPriceBook());
  });
  after(async () => {
    await journal.close();
    await rm(dir, { recursive: true });
  });

  type Gate = {
    readonly opened: Opened;
    call(model: string, tags: readonly string[]): Promise<Admitted | string>;
    /** The deployment that an explanation names; null where everything refuses. */
    foretold(model: string, tags: readonly string[]): Promise<string | null>;
  };

  function open(t: Parameters<typeof openRouting>[0], config: Partial<RoutingConfig>): Gate {
    const opened = openRouting(t, { config });
    const log = createLog({ level: 'silent', part: 'gateway' });
    const metrics = createMetrics();
    const deps: AdmitDeps = {
      clock: systemClock,
      config: { limits: { maxBodyBytes: 1 }, timeouts: NO_TIMEOUTS, budgetStatus: 402 },
      governor: { governs: true, limits: false },
      prices: () => prices,
      recording: new Recording({
        journal,
        leases: null,
        failOpen: false,
        isStrict: () => true,
        metrics,
        log,
        clock: systemClock,
      }),
      refusals: new Refusals({ metrics, log, clock: systemClock }),
      routing: opened.routing,
    };
    return {
      opened,
      foretold: async (model, tags) => {
        const journey = journeyOf(deps, opened, { model, tags });
        if (journey === null) return null;
        const { prediction } = await foresee(deps, journey);
        return prediction?.step.deployment?.id ?? null;
      },
      call: async (model, tags) => {
        const journey = journeyOf(deps, opened, { model, tags });
        if (journey === null) return 'no_matching_deployment';
        try {
          return await admit(deps, journey, { step: journey.itinerary.first(), earlier: [] });
        } catch (error) {
          assert.ok(error instanceof ApportionError, String(error));
          return error.code;
        }
      },
    };
  }

  function journeyOf(
    deps: AdmitDeps,
    { routing }: Opened,
    { model, tags }: { readonly model: string; readonly tags: readonly string[] },
  ): Journey | null {
    assert.ok(CHAT !== undefined);
    const call = accepted({ model, max_tokens: 100, messages: [{ role: 'user', content: 'hello' }] });
    const routed = { route: CHAT, method: 'POST', upstreamPath: '/chat/completions', target: NO_TARGET };
    const tagged = {
      declared: { declaration: NO_TAGS, forwardMetadata: { action: 'keep' } },
      tags: tagsOf({ tags }),
      notes: {},
    } as const;
    const asked = openAiChat.readRequest(call.body);
    const asking = askingOf(deps, { call, caller, tagged, routed, asked });
    const { itinerary } = routing.plan(asking);
    return itinerary === null
      ? null
      : { call, caller, tagged, routed, asked, asking, itinerary, downgraded: [], batch: NO_BATCH_WORK };
  }

  const end = { health: 'well', firstByteMs: 1, retryAfterMs: null, tokens: null } as const;

  test('whatever the settings: no call goes where tags, budget or limit exclude it, one deployment that fits is found, and an explanation tells which', async (t) => {
    await fc.assert(
      fc.asyncProperty(scenario, async ({ deployments, owns, strategy, out, calls }) => {
        await journal.govern({ budgets: out.map((one) => ({ budget: usedUp(one), since: null })), limits: [] });
        const [own, reserve] = [deployments.slice(0, owns), deployments.slice(owns)];
        const routes = [
          route('main', own, { strategy, fallbacks: reserve.length > 0 ? ['reserve'] : [] }),
          ...(reserve.length > 0 ? [route('reserve', reserve, { strategy: 'ordered' })] : []),
        ];
        const closers: (() => unknown)[] = [];
        const gate = open({ after: (close) => closers.push(close) }, { routes });
        const running = new Map<string, number>();
        const held: Admitted[] = [];
        for (const tags of calls) {
          const tagged = [...takers(own, tags), ...takers(reserve, tags)];
          const fitting = tagged.filter(
            ({ id, provider, limits }) =>
              !out.includes(provider) && (running.get(id) ?? 0) < (limits.parallel ?? Number.POSITIVE_INFINITY),
          );
          const foretold = await gate.foretold('main', tags);
          const became = await gate.call('main', tags);
          const chosenId = typeof became === 'string' ? null : became.plan.step.deployment?.id;
          assert.equal(foretold, chosenId, 'an explanation tells what then happens');
          if (typeof became === 'string') {
            const why = tagged.length === 0 ? ['no_matching_deployment'] : ['budget_exceeded', 'rate_limited'];
            assert.ok(fitting.length === 0 && why.includes(became), `${became}, with ${fitting.length} that fit`);
            continue;
          }
          held.push(became);
          const { deployment: chosen } = became.plan.step;
          assert.ok(
            fitting.some(({ id }) => id === chosen?.id),
            `${chosen?.id} is not for ${tags.join()}`,
          );
          running.set(chosen?.id ?? '', (running.get(chosen?.id ?? '') ?? 0) + 1);
        }
        for (const { visit } of held) visit.end(end);
        assert.ok(gate.opened.routing.states().every((state) => state.running === 0));
        for (const close of closers) await close();
      }),
      { numRuns: 150 },
    );
    t.diagnostic('150 settings');
  });

  test('what a deployment is asked and refuses, it gives back', async (t) => {
    await journal.govern({ budgets: [{ budget: usedUp('a'), since: null }], limits: [] });
    const limits = { ...NO_LIMITS, parallel: 1, requestsPerMinute: 1 };
    const routes = [route('main', [deployment('a/gpt-4o-mini', { limits })])];
    const gate = open(t, { routes });
    for (let calls = 0; calls < 3; calls += 1) assert.equal(await gate.call('main', []), 'budget_exceeded');
    await journal.govern({ budgets: [], limits: [] });
    assert.notEqual(typeof (await gate.call('main', [])), 'string');
    assert.equal(await gate.call('main', []), 'rate_limited');
  });
});

function takers(deployments: readonly RouteDeployment[], tags: readonly string[]): readonly RouteDeployment[] {
  const compiled = deployments.map((one) => one.tags.flatMap((tag) => toRouteTag(tag) ?? []));
  const why = misfits(askedTags(tagsOf({ tags }), ANY), compiled, ANY);
  return deployments.filter((_, at) => why[at] === null);
}

const provider = fc.constantFrom<string>('a', 'b', 'c', 'd');
const tag = fc.constantFrom<string>('x', 'y', 'k:v', 'default');
const sent = fc.tuple(fc.constantFrom('', '', '', '!', '&'), tag).map((parts) => parts.join(''));

const deployments = fc.uniqueArray(provider, { minLength: 1, maxLength: 4 }).chain((names) =>
  fc.tuple(
    ...names.map((name) =>
      fc
        .record({
          tags: fc.uniqueArray(tag, { maxLength: 2 }),
          parallel: fc.constantFrom<number | null>(null, null, 1, 2),
        })
        .map(({ tags, parallel }) =>
          // One deployment has a tag always: without any, no call is routed by tag.
          deployment(`${name}/gpt-4o-mini`, {
            tags: tags.length > 0 ? tags : ['x'],
            limits: { ...NO_LIMITS, parallel },
          }),
        ),
    ),
  ),
);

const scenario = fc.record({
  deployments,
  owns: fc.integer({ min: 1, max: 4 }),
  strategy: fc.constantFrom('weighted', 'ordered', 'cheapest', 'fastest', 'least_busy'),
  out: fc.uniqueArray(provider, { maxLength: 3 }),
  calls: fc.array(fc.uniqueArray(sent, { maxLength: 2 }), { minLength: 1, maxLength: 5 }),
});

const NO_TIMEOUTS = {
  connectMs: 1,
  firstByteMs: 1,
  idleMs: 1,
  totalMs: 1,
  headersMs: 1,
  bodyMs: 1,
  shutdownMs: 1,
};
