import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import type { TimestampMs } from '#std';
import { costs, parseCostsQuery } from './costs.ts';
import { openSeededLedger, type SeededLedger } from './seeded-ledger.fixture.ts';

let ledger: SeededLedger;

before(async () => {
  ledger = await openSeededLedger();
});

after(async () => {
  await ledger.close();
});

const NOW = Date.parse('2025-03-31T12:00:00Z') as TimestampMs;

function ask(query: Record<string, string>) {
  return costs({ store: ledger.store }, parseCostsQuery(query, NOW));
}

describe('filters', () => {
  const day = { start_date: '2025-01-02', end_date: '2025-01-02' };
  const counted = async (query: Record<string, string>) => (await ask({ ...day, ...query })).summary.total_events;

  before(async () => {
    const at = '2025-01-02T10:00:00Z';
    await ledger.add([
      { at, body: { request_tags: ['US/California/SF', 'beta'] }, requestModel: 'openai/gpt-4o' },
      { at, body: { request_tags: ['US', 'USA/NYC'] }, model: 'gpt-4o-mini', provider: 'azure' },
      { at, body: { request_tags: ['US/Cal', 'a,b', 'https://x.y/z'] }, key: { id: 'key_2', name: 'batch' } },
      {
        at,
        body: { tags: { env: 'production', 'app.version': '2025-01-02', q: 'it\'s \\ "q"' } },
        status: 'upstream_error',
      },
      { at, body: { tags: { env: 'staging' }, session_id: 's-1' } },
    ]);
  });

  it('a label matches the label and any path that begins with it', async () => {
    assert.equal(await counted({ tags: 'US' }), 3);
    assert.equal(await counted({ tags: 'beta' }), 1);
  });

  it('a tag list without a tag, and a kind that does not exist, are refused instead of answering with everything or nothing', () => {
    for (const tags of [',', ' , ,', '']) {
      assert.throws(() => parseCostsQuery({ ...day, tags }, NOW), { code: 'invalid_query', param: 'tags' });
    }
    assert.throws(() => parseCostsQuery({ ...day, kind: 'attempts' }, NOW), {
      param: 'kind',
      hint: 'Did you mean "attempt"?',
    });
  });

  it('a path matches itself and what is below it, by whole segments', async () => {
    assert.equal(await counted({ tags: 'US/California' }), 1);
    assert.equal(await counted({ tags: 'US/Cal' }), 1);
  });

  it('a comma is AND, a repeated key is OR, (untagged) is absence', async () => {
    assert.equal(await counted({ tags: 'env:production,env:staging' }), 2);
    assert.equal(await counted({ tags: 'env:production,US' }), 0);
    assert.equal(await counted({ tags: 'env:(untagged)' }), 3);
    assert.equal(await counted({ tags: 'env:(untagged),env:staging' }), 4);
  });

  it('values with commas, quotes, backslashes, colons and dots in keys are matched literally', async () => {
    assert.equal(await counted({ tags: 'a\\,b' }), 1);
    assert.equal(await counted({ tags: `q:it's \\\\ "q"` }), 1);
    assert.equal(await counted({ tags: 'app.version:2025-01-02' }), 1);
    assert.equal(await counted({ tags: `env:' OR 1=1 --` }), 0);
    assert.equal(await counted({ provider: "' OR '1'='1" }), 0);
  });

  it('a model is found by the name that was asked for, the name that was served, and with its provider', async () => {
    assert.equal(await counted({ model: 'openai/gpt-4o' }), 4);
    assert.equal(await counted({ model: 'gpt-4o' }), 4);
    assert.equal(await counted({ model: 'azure/gpt-4o-mini' }), 1);
  });

  it('key takes the id or the name; status, provider and session are exact', async () => {
    assert.equal(await counted({ key: 'key_2' }), 1);
    assert.equal(await counted({ key: 'batch' }), 1);
    assert.equal(await counted({ status: 'upstream_error' }), 1);
    assert.equal(await counted({ provider: 'azure' }), 1);
    assert.equal(await counted({ session_id: 's-1' }), 1);
  });

  it('a value that is a path is found by any of its whole segments', async () => {
    const at = '2025-01-03T10:00:00Z';
    await ledger.add(
      ['eng', 'eng/search', 'eng/search/web', 'engine', 'sales'].map((team) => ({ at, body: { tags: { team } } })),
    );
    const found = async (tags: string) =>
      (await ask({ start_date: '2025-01-03', end_date: '2025-01-03', tags })).summary.total_events;
    assert.equal(await found('team:eng'), 3);
    assert.equal(await found('team:eng/search'), 2);
    assert.equal(await found('team:eng,team:sales'), 4);
    assert.equal(await found('team:eng/sea'), 0);
  });
});

describe('where a tag came from', () => {
  const day = { start_date: '2025-01-04', end_date: '2025-01-04' };
  const counted = async (query: Record<string, string>) => (await ask({ ...day, ...query })).summary.total_events;

  before(async () => {
    const at = '2025-01-04T10:00:00Z';
    await ledger.add([
      { at, body: { tags: { team: 'growth' } }, key: { id: 'key_a', team: 'growth', owner: 'ann' } },
      { at, body: { tags: { team: 'growth' } }, locked: ['team:growth'], key: { id: 'key_b', team: 'search' } },
      { at, body: { tags: { env: 'prod' } }, defaults: ['team:growth'], key: { id: 'key_b', team: 'search' } },
      { at },
    ]);
  });

  it('is asked of the dimensions that are filtered by', async () => {
    const tags = 'team:growth';
    assert.equal(await counted({ tags }), 3);
    assert.equal(await counted({ tags, provenance: 'declared' }), 1);
    assert.equal(await counted({ tags, provenance: 'locked' }), 1);
    assert.equal(await counted({ tags, provenance: 'default' }), 1);
    assert.equal(await counted({ tags: `${tags},env:prod`, provenance: 'default' }), 0);
    assert.equal(await counted({ entity_type: 'team', provenance: 'locked' }), 1);
  });

  it('or of the dimension that is grouped by, and of nothing else', async () => {
    assert.equal(await counted({ group_by: 'tags.team', provenance: 'default' }), 1);
    await assert.rejects(async () => ask({ ...day, provenance: 'locked' }), /Provenance is asked of a dimension/);
    await assert.rejects(async () => ask({ ...day, provenance: 'locked', tags: 'beta' }), /asked of a dimension/);
    await assert.rejects(async () => ask({ ...day, provenance: 'lokced', tags: 'team:x' }), /Did you mean|no value of/);
  });

  it('what the key proves stands beside what was declared', async () => {
    const rows = async (group_by: string) =>
      Object.fromEntries(
        (await ask({ ...day, group_by })).data.map((row) => [row.value, [row.untagged, row.total_events]]),
      );
    assert.deepEqual(await rows('tags.team'), { growth: [false, 3], '(untagged)': [true, 1] });
    assert.deepEqual(await rows('key.team'), { growth: [false, 1], search: [false, 2], '(untagged)': [true, 1] });
    assert.deepEqual(await rows('key.owner'), { ann: [false, 1], '(untagged)': [true, 3] });
    assert.deepEqual(await rows('key.id'), { key_a: [false, 1], key_b: [false, 2], key_1: [false, 1] });
    assert.equal(await counted({ 'key.team': 'search', tags: 'team:growth' }), 2);
    assert.equal(await counted({ 'key.team': '(untagged)' }), 1);
    assert.equal(await counted({ 'key.owner': 'ann', 'key.id': 'key_a' }), 1);
  });
});
