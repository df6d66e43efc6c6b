import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import type { OpenAdmin } from '../open-admin.fixture.ts';
import { openAdminWithCalls } from './repricing.fixture.ts';

let admin: OpenAdmin;

before(async () => {
  const call = { cost: null, provider: 'local', model: 'llama', body: { tags: ['env:prod'] } };
  admin = await openAdminWithCalls([
    { ...call, at: '2026-11-01T00:00:00Z' },
    { ...call, at: '2026-11-02T23:59:59.999Z' },
    { ...call, at: '2026-11-03T00:00:00Z' },
  ]);
});
after(() => admin.close());

function fields(value: unknown): Record<string, unknown> {
  assert.ok(typeof value === 'object' && value !== null, JSON.stringify(value));
  return { ...value };
}

async function reprice(body: object): Promise<Record<string, unknown>> {
  const answer = await admin.ask('/v1/prices/reprice', { from: '2026-11-01', to: '2026-11-02', ...body });
  assert.equal(answer.status, 200, JSON.stringify(answer.body));
  return fields(answer.body);
}

const figures = ({ examined, changed, delta_exact: delta, applied }: Record<string, unknown>): unknown[] => [
  examined,
  changed,
  delta,
  applied,
];

test('calls without a price are priced once there is one: a preview writes nothing, a second time changes nothing', async () => {
  assert.deepEqual(figures(await reprice({ mode: 'preview' })), [2, 0, '0', 0]);
  const rates = { input: { amount: '1', per: 1_000_000 } };
  await admin.ask('/v1/prices', { provider: 'local', model: 'llama', rates, effective_from: '2026-11-02' });
  assert.deepEqual(figures(await reprice({ mode: 'preview' })), [2, 1, '0.00001', 0]);
  assert.deepEqual(figures(await reprice({ mode: 'preview' })), [2, 1, '0.00001', 0]);
  assert.deepEqual(figures(await reprice({ mode: 'apply', reason: 'a price' })), [2, 1, '0.00001', 1]);
  assert.deepEqual(figures(await reprice({ mode: 'apply', reason: 'again' })), [1, 0, '0', 0]);
  const { body } = await admin.ask('/v1/analytics/costs?start_date=2026-11-01&end_date=2026-11-03&tags=env:prod');
  assert.equal(fields(fields(body)['summary'])['total_cost_exact'], '0.00001');
});

test('who asked for it, and why, is in the audit log', async () => {
  await reprice({ mode: 'apply', reason: 'for the log', provider: 'nobody' });
  const [last] = [fields((await admin.ask('/v1/audit?limit=1')).body)['data']].flat();
  const { actor, action, detail } = fields(last);
  assert.deepEqual([actor, action, fields(detail)['reason']], ['admin_key', 'reprice.apply', 'for the log']);
});

for (const [body, param] of [
  [{ mode: 'apply' }, 'reason'],
  [{ mode: 'do' }, 'mode'],
  [{ mode: 'preview', from: 'monday' }, 'from'],
  [{ mode: 'preview', to: '2026-10-31' }, 'to'],
  [{ mode: 'preview', states: [] }, 'states'],
  [{ mode: 'preview', states: ['wrong'] }, 'states.0'],
  [{ mode: 'preview', models: ['x'] }, 'models'],
] as const) {
  test(`a reprice with ${JSON.stringify(body)} is refused at ${param}`, async () => {
    const asked = { from: '2026-11-01', to: '2026-11-02', ...body };
    const { status, body: answer } = await admin.ask('/v1/prices/reprice', asked);
    assert.deepEqual([status, fields(fields(answer)['error'])['param']], [400, param]);
  });
}
