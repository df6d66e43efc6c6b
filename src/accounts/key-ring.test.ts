import assert from 'node:assert/strict';
import { test } from 'node:test';
import { systemClock, type TimestampMs } from '#std';
import { type KeyRecord } from './key-record.ts';
import { KeyRing, type KnownSnapshot } from './key-ring.ts';
import { hashToken } from './token.ts';

function keyOf(token: string, changes: Partial<KeyRecord> = {}): KeyRecord {
  return {
    id: `key_${token}`,
    hash: hashToken(token),
    name: token,
    alias: null,
    shown: token,
    role: 'call',
    previous: null,
    team: '',
    owner: '',
    models: [],
    routes: [],
    addresses: [],
    metadata: {},
    expiresAt: null,
    blocked: false,
    deletedAt: null,
    createdAt: 0 as TimestampMs,
    revision: 1,
    ...changes,
  };
}

const NOTHING = { keys: [], teams: [], priceTerms: [], budgets: [], limits: [] };

function ringOf(snapshot: Partial<KnownSnapshot>): KeyRing {
  return new KeyRing(
    { revision: 5, adminKeyHash: null, keys: [], ...snapshot },
    { clock: systemClock, adminKey: null },
  );
}

test('a gap in the revisions asks for a resend and changes nothing', () => {
  const ring = ringOf({});
  assert.equal(ring.apply({ ...NOTHING, revision: 7, keys: [keyOf('b')] }), 'resend');
  assert.deepEqual([ring.revision, ring.identify('b')], [5, undefined]);
  assert.equal(ring.apply({ ...NOTHING, revision: 6, keys: [keyOf('a')] }), 'applied');
  assert.equal(ring.apply({ ...NOTHING, revision: 7, keys: [keyOf('b')] }), 'applied');
  assert.equal(ring.identify('b')?.kind, 'key');
});

test('a change that is known already does not bring back an older state', () => {
  const ring = ringOf({ keys: [keyOf('a', { blocked: true })] });
  assert.equal(ring.apply({ ...NOTHING, revision: 5, keys: [keyOf('a')] }), 'applied');
  const identity = ring.identify('a');
  assert.equal(identity?.kind === 'key' ? identity.state : undefined, 'blocked');
});

test('a snapshot replaces everything', () => {
  const ring = ringOf({ keys: [keyOf('a')] });
  ring.replace({ revision: 9, adminKeyHash: hashToken('root'), keys: [keyOf('b')] });
  assert.deepEqual([ring.identify('a'), ring.identify('root'), ring.revision], [undefined, { kind: 'admin' }, 9]);
  assert.equal(ring.keyById('key_b')?.name, 'b');
});

test('a snapshot of a restored, older control.db counts, and so do the changes after it', () => {
  const ring = ringOf({ revision: 50, keys: [keyOf('deleted-in-the-backup')] });
  ring.replace({ revision: 2, adminKeyHash: null, keys: [], teams: [], priceTerms: [], budgets: [], limits: [] });
  assert.equal(ring.identify('deleted-in-the-backup'), undefined);
  assert.equal(ring.apply({ ...NOTHING, revision: 3, keys: [keyOf('new')] }), 'applied');
  assert.equal(ring.identify('new')?.kind, 'key');
});

test('without any admin key nobody is the admin, not even the empty token', () => {
  assert.equal(ringOf({}).identify(''), undefined);
});

test('one key whose default tags break the rules does not stop the others', () => {
  const ring = ringOf({ keys: [keyOf('bad', { metadata: { tags: [{}] } }), keyOf('good')] });
  const identity = ring.identify('bad');
  assert.deepEqual(identity?.kind === 'key' ? identity.key.defaultTags.warnings : [], [
    'the default tags of this key break the current tag rules and were left out',
  ]);
  assert.equal(ring.identify('good')?.kind, 'key');
});
