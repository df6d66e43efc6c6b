import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { entryDigest, ERASED } from './entry-digest.ts';
import { freshSalt } from './entry-salt.ts';
import { eraseValues } from './erase-values.ts';
import { identityOf } from './identity.ts';

const text = fc.string({ unit: 'binary', maxLength: 12 });
const tagKey = fc.stringMatching(/^[A-Za-z_][A-Za-z0-9_.-]{0,8}$/);

/** Entries with whatever may name somebody, in any order, beside what may not. */
const entries = fc
  .record({
    entity_id: text,
    session_id: text,
    session_path: text,
    trace_id: text,
    key_name: text,
    key_owner: text,
    tags: fc.dictionary(tagKey, text, { maxKeys: 4 }),
    labels: fc.array(text, { maxLength: 3 }),
    paths: fc.array(text, { maxLength: 3 }),
    tags_sent: fc.array(text, { maxLength: 3 }),
    tag_conflicts: fc.array(fc.record({ key: tagKey, value: text, source: text }), { maxLength: 2 }),
    tags_overflow: fc.dictionary(tagKey, text, { maxKeys: 2 }),
    cost: fc.bigInt({ min: 0n, max: 10n ** 20n }).map(String),
    charges: fc.array(fc.record({ meter: text, amount: text }), { maxLength: 2 }),
    usage_raw: text,
  })
  .chain((fields) => {
    const members: [string, unknown][] = [...Object.entries(fields), ['salt', freshSalt()]];
    return fc
      .shuffledSubarray(members, { minLength: members.length })
      .map((ordered) => Buffer.from(JSON.stringify(Object.fromEntries(ordered))));
  });

function pathsIn(body: Buffer): string[] {
  return (identityOf(body)?.units ?? []).map(({ path }) => path);
}

test('whatever is erased, in whatever order and however often, the digest stays', () => {
  fc.assert(
    fc.property(entries, fc.infiniteStream(fc.boolean()), (body, picks) => {
      const digest = entryDigest(body);
      const paths = pathsIn(body).toSorted(() => (picks.next().value === true ? 1 : -1));
      let erased: Buffer = body;
      for (let at = 0; at < paths.length; at += 2) {
        erased = eraseValues(erased, new Set(paths.slice(at, at + 2))) ?? assert.fail('the values are there');
        assert.deepEqual(entryDigest(erased), digest);
      }
      assert.equal(eraseValues(erased, new Set(paths)), null, 'nothing is left to erase');
    }),
    { numRuns: 200 },
  );
});

test('what is erased is gone, with every other value where it was', () => {
  const body = Buffer.from(
    JSON.stringify({
      salt: freshSalt(),
      entity_id: 'ann',
      tags: { employee: 'ann', team: 'core' },
      labels: ['beta', 'ann'],
      tags_sent: ['employee:ann', 'beta'],
      cost: '12',
    }),
  );
  const erased = eraseValues(body, new Set(['entity_id', 'tags.employee', 'labels.1', 'tags_sent']));
  assert.ok(erased !== null && !erased.includes('ann'));
  const { salt, ...fields } = JSON.parse(erased.toString());
  assert.deepEqual(fields, {
    entity_id: ERASED,
    tags: { employee: ERASED, team: 'core' },
    labels: ['beta', ERASED],
    tags_sent: [],
    cost: '12',
  });
  assert.deepEqual(Object.keys(salt.kept), ['tags.team', 'labels.0']);
  assert.deepEqual(Object.keys(salt.erased), ['entity_id', 'tags.employee', 'labels.1', 'tags_sent']);
  assert.ok(!erased.includes(JSON.parse(body.toString()).salt), 'the salt that all others come from is gone too');
});

test('any other change of any byte changes the digest, before and after an erasure', () => {
  fc.assert(
    fc.property(entries, fc.nat(), fc.integer({ min: 1, max: 255 }), (body, place, change) => {
      const some = new Set(pathsIn(body).filter((_, at) => at % 2 === 0));
      for (const whole of [body, eraseValues(body, some) ?? body]) {
        const tampered = Buffer.from(whole);
        const at = place % whole.length;
        tampered[at] = (tampered[at] ?? 0) ^ change;
        assert.notDeepEqual(entryDigest(tampered), entryDigest(whole), `byte ${at}: ${tampered.toString('latin1')}`);
      }
    }),
    { numRuns: 2000 },
  );
});

test('two entries that say the same have different digests, so that one tells nothing about the other', () => {
  const entry = (): Buffer => Buffer.from(JSON.stringify({ salt: freshSalt(), entity_id: 'ann', cost: '1' }));
  assert.notDeepEqual(entryDigest(entry()), entryDigest(entry()));
});

test('an entry without a salt is hashed as it stands; it can be erased, and that shows', () => {
  const body = Buffer.from('{"entity_id":"ann","cost":"1"}');
  const erased = eraseValues(body, new Set(['entity_id'])) ?? assert.fail('the value is there');
  assert.equal(erased.toString(), '{"entity_id":"(erased)","cost":"1"}');
  assert.notDeepEqual(entryDigest(erased), entryDigest(body));
});

test('a value that only pretends to be erased is found', () => {
  const body = Buffer.from(JSON.stringify({ salt: freshSalt(), entity_id: 'ann', key_owner: 'bob' }));
  const erased = (eraseValues(body, new Set(['entity_id'])) ?? assert.fail('the value is there')).toString();
  for (const forged of [erased.replace('(erased)', 'eve'), erased.replace('"erased":{', '"erased":{"labels.0":"x",')])
    assert.notDeepEqual(entryDigest(Buffer.from(forged)), entryDigest(body));
});
