import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { readLimit } from '#accounts';
import { openAdmin, type OpenAdmin } from '../open-admin.fixture.ts';

let admin: OpenAdmin;

before(async () => {
  admin = await openAdmin();
});
after(() => admin.close());

const EACH_KEY = { 'key.id': { each: true } };

for (const [sent, stored] of [
  [
    { measure: 'requests', amount: 60, per: 'minute' },
    { amount: 60n, pace: { kind: 'window', window: { kind: 'fixed', lengthMs: 60_000 } } },
  ],
  [
    { measure: 'requests', amount: '60', per: 'minute', burst: 10 },
    { amount: 60n, pace: { kind: 'bucket', perMs: 60_000, burst: 10n } },
  ],
  [
    { measure: 'tokens', amount: 1_000_000, per: { kind: 'month', timezone: 'Europe/Berlin' } },
    {
      amount: 1_000_000n,
      pace: { kind: 'window', window: { kind: 'month', count: 1, startsOn: 1, zone: 'Europe/Berlin' } },
    },
  ],
  [
    { measure: 'usd', amount: 0.1, per: 'hour' },
    { amount: 100_000_000_000n, pace: { kind: 'window', window: { kind: 'hour', zone: 'UTC' } } },
  ],
  [{ measure: 'parallel', amount: 3 }, { amount: 3n }],
] as const) {
  test(`the limit ${JSON.stringify(sent)} is made, counts what it says, and can be sent back`, async () => {
    const made = await admin.ask('/v1/limits', { ...sent, scope: EACH_KEY });
    assert.equal(made.status, 200, JSON.stringify(made.body));
    const [record] = admin.accounts.ring.limits;
    assert.ok(record !== undefined);
    assert.partialDeepStrictEqual(readLimit(record), { measure: sent.measure, ...stored });
    assert.partialDeepStrictEqual(made.body, { id: record.id, scope: EACH_KEY, measure: sent.measure });
    const { id, name, ...file } = Object.fromEntries(Object.entries(made.body ?? {}));
    const fields = ['scope', 'counts', 'effective_from', 'effective_to', 'measure', 'amount', 'per', 'burst'];
    const again = Object.fromEntries(fields.map((field) => [field, file[field]]));
    const edited = await admin.ask(`/v1/limits/${String(id)}`, { ...again, name: 'again' }, 'PATCH');
    assert.partialDeepStrictEqual(edited, { status: 200, body: { ...again, id, name: 'again' } });
    assert.notEqual(name, 'again');
    const gone = await admin.ask(`/v1/limits/${String(id)}`, {}, 'DELETE');
    assert.equal(gone.status, 200);
    assert.deepEqual(admin.accounts.ring.limits, []);
  });
}

for (const [body, param] of [
  [{ amount: 1, per: 'minute' }, 'measure'],
  [{ measure: 'requests', per: 'minute' }, 'amount'],
  [{ measure: 'requests', amount: 1.5, per: 'minute' }, 'amount'],
  [{ measure: 'requests', amount: 1 }, 'per'],
  [{ measure: 'requests', amount: 1, per: 'moment' }, 'per'],
  [{ measure: 'requests', amount: 1, per: { kind: 'rolling', length: '1h' } }, 'per'],
  [{ measure: 'requests', amount: 1, per: { kind: 'day' }, burst: 2 }, 'per'],
  [{ measure: 'tokens', amount: 1, per: 'minute', burst: 0.5 }, 'burst'],
  [{ measure: 'requests', amount: 1, per: { kind: 'day', timezone: 'Nowhere' } }, 'per.timezone'],
  [{ measure: 'parallel', amount: 1, per: 'minute' }, 'per'],
  [{ measure: 'parallel', amount: 1, burst: 1 }, 'burst'],
  [{ measure: 'requests', amount: 1, per: 'minute', window: 'day' }, 'window'],
] as const) {
  test(`the limit ${JSON.stringify(body)} is refused at ${param}`, async () => {
    const { status, body: given } = await admin.ask('/v1/limits', body);
    assert.equal(status, 400, JSON.stringify(given));
    assert.partialDeepStrictEqual(given, { error: { param } });
  });
}
