import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import type { OpenAdmin } from './open-admin.fixture.ts';
import { openAdminWithCalls } from './prices/repricing.fixture.ts';

let admin: OpenAdmin;

before(async () => {
  const call = { cost: '0.05', at: '2026-01-01T12:00:00Z', body: {} };
  admin = await openAdminWithCalls([call, { ...call, lost: '0.01' }]);
});
after(() => admin.close());

function fields(value: unknown): Record<string, unknown> {
  assert.ok(typeof value === 'object' && value !== null, JSON.stringify(value));
  return { ...value };
}

/** What a refusal says: status, field at fault, and whether there is a hint. */
async function refused(url: string, body: object): Promise<readonly unknown[]> {
  const { status, body: answer } = await admin.ask(url, body);
  const error = fields(fields(answer)['error']);
  assert.ok(typeof error['hint'] === 'string' && error['hint'] !== '', JSON.stringify(error));
  return [status, error['param']];
}

const ANSWERED = 'call_00000000000000000000000000000000';
const LOST = 'call_00000000000000000000000000000001';

describe('an adjustment', () => {
  const asked = { amount_usd: '-1', reason: 'r', idempotency_key: 'k' };
  for (const [body, status, param] of [
    [{ amount_usd: 12.34 }, 400, 'amount_usd'],
    [{ amount_usd: '0' }, 400, 'amount_usd'],
    [{ amount_usd: '1e3' }, 400, 'amount_usd'],
    [{ amount_usd: '0.0000000000001' }, 400, 'amount_usd'],
    [{ amount_usd: '1234567890123' }, 400, 'amount_usd'],
    [{ reason: ' ' }, 400, 'reason'],
    [{ idempotency_key: undefined }, 400, 'idempotency_key'],
    [{ fields: [] }, 400, 'fields'],
    [{ fields: ['price'] }, 400, 'fields.0'],
    [{ entity_type: 'customer' }, 400, 'entity_id'],
    [{ entity_id: 'acme' }, 400, 'entity_type'],
    [{ tags: 'beta' }, 400, 'tags'],
    [{ tags: { entity_type: 'x' } }, 400, 'tags.entity_type'],
    [{ effective_at: 'monday' }, 400, 'effective_at'],
    [{ effective_at: '2200-01-01' }, 400, 'effective_at'],
    [{ key_id: 'nobody' }, 404, 'key_id'],
    [{ call_id: ANSWERED, provider: 'p' }, 400, 'provider'],
    [{ call_id: ANSWERED, labels: ['beta'] }, 400, 'labels'],
    [{ call_id: ANSWERED, entry_id: `${LOST}.1.attempt.0` }, 400, 'entry_id'],
    [{ call_id: 'call_none' }, 404, 'call_id'],
    [{ entry_id: `${ANSWERED}.9.attempt.0` }, 404, 'entry_id'],
    [{ call_id: LOST }, 409, 'call_id'],
    [{ amount: '1' }, 400, 'amount'],
  ] as const) {
    test(`with ${JSON.stringify(body)} is refused at ${param}`, async () => {
      assert.deepEqual(await refused('/v1/adjustments', { ...asked, ...body }), [status, param]);
    });
  }

  test('under a key that stands for another one is refused', async () => {
    const first = await admin.ask('/v1/adjustments', { ...asked, idempotency_key: 'taken' });
    assert.equal(first.status, 200, JSON.stringify(first.body));
    const other = { ...asked, idempotency_key: 'taken', amount_usd: '-2' };
    assert.deepEqual(await refused('/v1/adjustments', other), [409, 'idempotency_key']);
  });

  test('is not listed under a cursor of another list', async () => {
    const { status, body } = await admin.ask('/v1/adjustments?cursor=x');
    assert.deepEqual([status, fields(fields(body)['error'])['param']], [400, 'cursor']);
  });
});

describe('a resolution', () => {
  const asked = { reason: 'r' };
  for (const [id, body, status, param] of [
    [LOST, {}, 400, 'cost_usd'],
    [LOST, { cost_usd: '1', usage: {} }, 400, 'usage'],
    [LOST, { cost_usd: '-1' }, 400, 'cost_usd'],
    [LOST, { cost_usd: 1 }, 400, 'cost_usd'],
    [LOST, { cost_usd: '1', reason: '' }, 400, 'reason'],
    [LOST, { usage: [] }, 400, 'usage'],
    [LOST, { usage: { tokens: 1 } }, 400, 'usage'],
    [LOST, { usage: { prompt_tokens: 1, completion_tokens: 1 } }, 409, 'usage'],
    [ANSWERED, { cost_usd: '1' }, 409, 'id'],
    ['call_none', { cost_usd: '1' }, 404, 'id'],
  ] as const) {
    test(`of ${id} with ${JSON.stringify(body)} is refused at ${param}`, async () => {
      assert.deepEqual(await refused(`/v1/events/${id}/resolve`, { ...asked, ...body }), [status, param]);
    });
  }

  const many = { mode: 'preview', policy: 'zero', older_than_hours: 0 };
  for (const [body, param] of [
    [{ mode: 'apply' }, 'reason'],
    [{ mode: 'do' }, 'mode'],
    [{ policy: 'guess' }, 'policy'],
    [{ older_than_hours: -1 }, 'older_than_hours'],
    [{ older_than_hours: undefined }, 'older_than_hours'],
    [{ providers: ['p'] }, 'providers'],
  ] as const) {
    test(`of many with ${JSON.stringify(body)} is refused at ${param}`, async () => {
      assert.deepEqual(await refused('/v1/in-doubt/resolve', { ...many, ...body }), [400, param]);
    });
  }
});
