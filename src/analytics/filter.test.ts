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

function ask(query: Record<string, string>) {
  return costs({ store: ledger.store }, parseCostsQuery(query, Date.parse('2025-03-31T12:00:00Z') as TimestampMs));
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
});
