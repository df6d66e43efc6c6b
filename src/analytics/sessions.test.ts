import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import type { TimestampMs } from '#std';
import { ApportionError } from '#terms';
import { openSeededLedger, type SeededLedger } from './seeded-ledger.fixture.ts';
import { parseSessionQuery, session } from './session.ts';
import type { WireStep } from './session-tree.ts';
import { parseSessionsQuery, sessions } from './sessions.ts';

const NOW = Date.parse('2025-03-31T12:00:00Z') as TimestampMs;

let ledger: SeededLedger;

before(async () => {
  ledger = await openSeededLedger();
  const run = { session_id: 'run-1', tags: { team: 'growth', env: 'prod' } };
  const chat = { session_id: 'user/7', entity_type: 'customer', entity_id: 'acme' };
  await ledger.add([
    { at: '2025-01-01T10:00:00Z', body: run, sessionPath: 'plan', cost: 1n, latencyMs: 100 },
    { at: '2025-01-01T10:00:01Z', body: run, sessionPath: 'plan/search', cost: 20n, latencyMs: 500 },
    { at: '2025-01-01T10:00:02Z', body: { ...run, tags: { team: 'growth' } }, sessionPath: 'plan/search', cost: 300n },
    { at: '2025-01-01T10:00:03Z', body: run, cost: 4000n, model: 'o3' },
    { at: '2025-01-01T10:00:04Z', body: run, sessionPath: 'answer', state: 'in_doubt', atRisk: 70n },
    { at: '2025-01-02T10:00:00Z', body: chat, cost: 50_000n, latencyMs: 10 },
    { at: '2025-01-02T10:05:00Z', body: { ...chat, entity_id: 'globex' }, cost: 50_001n, latencyMs: 10 },
    { at: '2025-01-03T10:00:00Z', cost: 7n },
  ]);
});

after(async () => {
  await ledger.close();
});

const ask = (query: Record<string, string> = {}) => sessions({ store: ledger.store }, parseSessionsQuery(query, NOW));
const askOne = (id: string, query: Record<string, string> = {}) =>
  session({ store: ledger.store }, parseSessionQuery(id, query, NOW));

describe('the list of sessions', () => {
  it('says what each cost, how many turns it took and what its calls have in common', async () => {
    const { data } = await ask({ sort: 'turns' });
    const [run, chat] = data;
    assert.deepEqual(run, {
      session_id: 'run-1',
      cost: 4.321e-9,
      cost_exact: '0.000000004321',
      list_cost: 4.321e-9,
      list_cost_exact: '0.000000004321',
      billed: 4.321e-9,
      billed_exact: '0.000000004321',
      turns: 5,
      attempts: 5,
      input_tokens: 40,
      output_tokens: 20,
      avg_latency_ms: 200,
      unpriced_events: 0,
      incomplete_events: 0,
      estimated_events: 0,
      estimated_cost_exact: '0',
      reported_cost_exact: '0',
      partial_exact_cost_exact: '0',
      in_doubt_events: 1,
      at_risk_exact: '0.00000000007',
      sandbox_cost_exact: '0',
      sandbox: false,
      first_at: '2025-01-01T10:00:00.000Z',
      last_at: '2025-01-01T10:00:04.000Z',
      duration_ms: 4000,
      models: ['gpt-4o', 'o3'],
      steps: 3,
      entity_type: 'team',
      entity_id: 'growth',
      tags: { team: 'growth' },
    });
    assert.deepEqual(
      [chat?.session_id, chat?.entity_type, chat?.entity_id, chat?.tags, chat?.steps],
      ['user/7', null, '(multiple)', {}, 0],
    );
  });

  it('answers what a conversation costs on average, and what belongs to none', async () => {
    const { summary, pagination } = await ask();
    assert.deepEqual(
      { ...summary, period: null },
      {
        total_cost: 1.04322e-7,
        total_cost_exact: '0.000000104322',
        total_list_cost: 1.04322e-7,
        total_list_cost_exact: '0.000000104322',
        total_billed: 1.04322e-7,
        total_billed_exact: '0.000000104322',
        total_events: 7,
        total_attempts: 7,
        total_input_tokens: 60,
        total_output_tokens: 30,
        avg_latency_ms: 137,
        unpriced_events: 0,
        incomplete_events: 0,
        estimated_events: 0,
        estimated_cost_exact: '0',
        reported_cost_exact: '0',
        partial_exact_cost_exact: '0',
        in_doubt_events: 1,
        at_risk_exact: '0.00000000007',
        sandbox_cost_exact: '0',
        sandbox: false,
        period: null,
        timezone: 'UTC',
        sessions: 2,
        avg_cost_per_session: 5.2161e-8,
        avg_cost_per_session_exact: '0.000000052161',
        median_cost_per_session_exact: '0.000000004321',
        max_cost_per_session_exact: '0.000000100001',
        avg_turns_per_session: 3.5,
        avg_duration_ms: 152_005,
        without_session: { events: 1, cost: 7e-12, cost_exact: '0.000000000007' },
      },
    );
    assert.deepEqual(pagination, { total: 2, limit: 100, offset: 0, has_more: false });
  });

  it('is ordered by cost, turns, time or duration, and paged', async () => {
    const ids = async (query: Record<string, string>) => (await ask(query)).data.map((row) => row.session_id);
    assert.deepEqual(await ids({ sort: 'cost' }), ['user/7', 'run-1']);
    assert.deepEqual(await ids({ sort: 'turns' }), ['run-1', 'user/7']);
    assert.deepEqual(await ids({}), ['user/7', 'run-1']);
    assert.deepEqual(await ids({ sort: 'duration' }), ['user/7', 'run-1']);
    assert.deepEqual(await ids({ sort: 'cost', limit: '1', offset: '1' }), ['run-1']);
  });

  it('is made of the calls that match, and empty where none does', async () => {
    const { data, summary } = await ask({ tags: 'env:prod' });
    assert.deepEqual([data.length, data[0]?.turns, summary.without_session.events], [1, 4, 0]);
    const none = await ask({ tags: 'env:nowhere' });
    assert.deepEqual([none.data, none.summary.sessions, none.summary.avg_cost_per_session_exact], [[], 0, null]);
  });
});

it('a session has the tags that its calls share, whatever their keys are', async () => {
  const tags = { ['__proto__']: 'a', constructor: 'b' };
  await ledger.add([{ at: '2025-01-09T10:00:00Z', body: { session_id: 'odd', tags } }]);
  const { data } = await ask({ session_id: 'odd' });
  assert.deepEqual(Object.entries(data[0]?.tags ?? {}), Object.entries(tags));
});

/** Path, cost with all below it, direct cost, calls. */
function outline(step: WireStep): readonly unknown[] {
  return [step.path, step.cost_exact, step.direct.cost_exact, step.turns, ...step.children.map(outline)];
}

describe('one session', () => {
  it('shows the run as a tree whose nodes are their own cost and that of what is below', async () => {
    const { tree } = await askOne('run-1');
    assert.deepEqual(outline(tree), [
      null,
      '0.000000004321',
      '0.000000004',
      5,
      ['plan', '0.000000000321', '0.000000000001', 3, ['plan/search', '0.00000000032', '0.00000000032', 2]],
      ['answer', '0', '0', 1],
    ]);
    assert.deepEqual(
      [tree.step, tree.children[0]?.children[0]?.step, tree.children[0]?.first_at, tree.children[0]?.last_at],
      [null, 'search', '2025-01-01T10:00:00.000Z', '2025-01-01T10:00:02.000Z'],
    );
  });

  it('has its calls in the order they began, with their steps', async () => {
    const answer = await askOne('run-1', { limit: '2', offset: '1' });
    assert.deepEqual(
      answer.calls.map((call) => [call.session_path, call.cost_usd_exact]),
      [
        ['plan/search', '0.00000000002'],
        ['plan/search', '0.0000000003'],
      ],
    );
    assert.deepEqual(answer.pagination, { total: 5, limit: 2, offset: 1, has_more: true });
  });

  it('that no call named is not found', async () => {
    await assert.rejects(askOne('nobody'), (error) => error instanceof ApportionError && error.code === 'not_found');
  });
});
