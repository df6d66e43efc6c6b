import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { parseTagFilter, UNTAGGED } from '#tags';
import { filtersOf, narrowTo, withTags } from '../../dashboard/src/search/filters.ts';
import { belowNode } from '../../dashboard/src/search/group-by.ts';
import { DEFAULT_SEARCH, parseSearch, readAddress, writeSearch } from '../../dashboard/src/search/search.ts';
import { splitTags } from '../../dashboard/src/search/tag-list.ts';
import { periodOf } from '../../dashboard/src/time/period.ts';
import { assignColours } from '../../dashboard/src/chart/colours.ts';

const values = fc
  .string({
    minLength: 1,
    maxLength: 20,
    unit: fc.constantFrom('a', 'B', '1', ' ', ',', ':', '/', '\\', '-', '_', '.', 'é'),
  })
  .filter((value) => value === value.trim());

test('an address holds only what differs from the default, and reads back as it was', () => {
  const search = { ...DEFAULT_SEARCH, range: '30d', tags: 'env:production,customer/acme', page: 3 } as const;
  const address = writeSearch(search);
  assert.equal(address, '?range=30d&tags=env:production,customer/acme&page=3');
  assert.deepEqual(parseSearch(readAddress(address)), search);
});

test('what is not valid in an address falls back to its default', () => {
  const search = parseSearch(
    readAddress('?range=custom&from=2026-02-31&tz=Mars/Base&page=-1&sort=beauty&entity_type=customer'),
  );
  assert.deepEqual(search, DEFAULT_SEARCH);
});

test('any tags survive the address', () => {
  fc.assert(
    fc.property(fc.string(), (tags) => {
      assert.equal(parseSearch(readAddress(writeSearch({ ...DEFAULT_SEARCH, tags }))).tags, tags);
    }),
  );
});

test('a row of a breakdown by tag becomes the filter that finds its value, whatever is in it', () => {
  fc.assert(
    fc.property(values, (value) => {
      const patch = narrowTo({ ...DEFAULT_SEARCH, by: 'tags.k' }, { value, untagged: false, other: false });
      assert.deepEqual(parseTagFilter(patch?.tags ?? ''), [{ kind: 'dimension', key: 'k', values: [value] }]);
    }),
  );
});

test('the untagged row becomes the filter for calls without the key; other rows become none', () => {
  const search = { ...DEFAULT_SEARCH, by: 'tags.k' };
  assert.deepEqual(narrowTo(search, { value: UNTAGGED, untagged: true, other: false }), { tags: 'k:(untagged)' });
  assert.equal(narrowTo(search, { value: '(other)', untagged: false, other: true }), undefined);
});

test('every filter of a list can be taken away and leaves the others', () => {
  const search = {
    ...DEFAULT_SEARCH,
    ...withTags(DEFAULT_SEARCH, String.raw`env:production, beta, customer/acme, note:a\,b`),
    model: 'o3',
  };
  assert.deepEqual(
    filtersOf(search).map((filter) => `${filter.field} ${filter.operator} ${filter.value}`),
    [
      'request_tags contains env:production',
      'request_tags contains beta',
      'request_tags contains customer/acme',
      'request_tags contains note:a,b',
      'model is o3',
    ],
  );
  assert.deepEqual(filtersOf(search)[1]?.without, { tags: String.raw`env:production,customer/acme,note:a\,b` });
});

test('a label or a path of a breakdown becomes the filter that finds it, whatever is in it', () => {
  fc.assert(
    fc.property(values, (value) => {
      const segments = value.split('/').map((segment) => segment.trim());
      const isPath = value.includes('/');
      // The gateway stores paths without empty segments; a text that would be another kind of tag is no label.
      fc.pre(!isPath || (segments.every((segment) => segment !== '') && segments.join('/') === value));
      fc.pre(!/^[A-Za-z_][A-Za-z0-9_.-]*:/.test(value));
      const search = { ...DEFAULT_SEARCH, by: isPath ? 'path' : 'label' };
      const patch = narrowTo(search, { value, untagged: false, other: false });
      assert.deepEqual(
        parseTagFilter(patch?.tags ?? ''),
        isPath ? [{ kind: 'path', segments }] : [{ kind: 'label', label: value }],
      );
    }),
  );
});

test('a URL is a label, and its filter says so', () => {
  const url = 'https://example.com/a,b';
  const patch = narrowTo({ ...DEFAULT_SEARCH, by: 'label' }, { value: url, untagged: false, other: false });
  assert.deepEqual(parseTagFilter(patch?.tags ?? ''), [{ kind: 'label', label: url }]);
});

test('a node of a tag read as a tree becomes the filter for it and what is below; (direct) becomes none', () => {
  const search = { ...DEFAULT_SEARCH, by: 'tags.team:eng' };
  const row = { untagged: false, other: false };
  assert.deepEqual(narrowTo(search, { ...row, value: 'eng/search' }), { tags: 'team:eng/search' });
  assert.equal(narrowTo(search, { ...row, value: '(direct)', is_direct: true }), undefined);
  assert.deepEqual(narrowTo({ ...search, by: 'tags.team:/' }, { ...row, value: UNTAGGED, untagged: true }), {
    tags: 'team:(untagged)',
  });
  assert.deepEqual(
    ['path', 'path:US', 'tags.team:/', 'tags.team:eng'].map((by) => belowNode(by, 'a/b')),
    ['path:a/b', 'path:a/b', 'tags.team:a/b', 'tags.team:a/b'],
  );
});

test('what the key proves is filtered apart from what the call declares', () => {
  const row = { value: 'growth', untagged: false, other: false };
  assert.deepEqual(narrowTo({ ...DEFAULT_SEARCH, by: 'key.team' }, row), { 'key.team': 'growth' });
  assert.deepEqual(narrowTo({ ...DEFAULT_SEARCH, by: 'key.team' }, { ...row, value: UNTAGGED, untagged: true }), {
    'key.team': UNTAGGED,
  });
  const search = { ...DEFAULT_SEARCH, 'key.team': 'growth', session_id: 'chat 7' };
  assert.deepEqual(
    filtersOf(search).map((filter) => `${filter.field} ${filter.operator} ${filter.value}`),
    ['key.team is growth', 'session_id is chat 7'],
  );
  assert.deepEqual(parseSearch(readAddress(writeSearch(search))), search);
});

test('what every call has or lacks is a filter, also for the calls that lack it', () => {
  const row = { value: 'fast', untagged: false, other: false };
  const none = { value: UNTAGGED, untagged: true, other: false };
  assert.deepEqual(narrowTo({ ...DEFAULT_SEARCH, by: 'route' }, row), { route: 'fast' });
  assert.deepEqual(narrowTo({ ...DEFAULT_SEARCH, by: 'route' }, none), { route: UNTAGGED });
  assert.deepEqual(narrowTo({ ...DEFAULT_SEARCH, by: 'cost_state' }, { ...row, value: 'unpriced' }), {
    cost_state: 'unpriced',
  });
  const search = { ...DEFAULT_SEARCH, cost_state: 'unpriced', route: 'fast', service_tier: 'flex' };
  assert.deepEqual(parseSearch(readAddress(writeSearch(search))), search);
});

test('a filter asked for twice is one filter', () => {
  const search = { ...DEFAULT_SEARCH, tags: 'beta' };
  assert.deepEqual(splitTags(withTags(search, 'beta, env:staging').tags ?? ''), ['beta', 'env:staging']);
});

test('periods are whole days of the time zone chosen', () => {
  const late = Date.parse('2026-11-17T23:30:00Z');
  const choice = { ...DEFAULT_SEARCH, range: '7d' } as const;
  assert.deepEqual(periodOf(choice, late), { start: '2026-11-11', end: '2026-11-17', interval: 'day' });
  assert.deepEqual(periodOf({ ...choice, tz: 'Europe/Berlin' }, late), {
    start: '2026-11-12',
    end: '2026-11-18',
    interval: 'day',
  });
  assert.deepEqual(periodOf({ ...choice, range: 'today' }, late), {
    start: '2026-11-17',
    end: '2026-11-17',
    interval: 'hour',
  });
  assert.deepEqual(periodOf({ ...choice, range: 'mtd' }, late), {
    start: '2026-11-01',
    end: '2026-11-17',
    interval: 'day',
  });
  const year = { ...choice, range: 'custom', from: '2026-01-01', to: '2026-12-31' } as const;
  assert.deepEqual(periodOf(year, late), { start: '2026-01-01', end: '2026-12-31', interval: 'week' });
});

test('a value keeps its colour when others come and go, and no two of a chart share one', () => {
  const first = assignColours(['chatbot', 'search', 'agent'], new Map());
  const later = assignColours(
    ['labs', 'search', 'billing', 'agent', 'chatbot', 'email', 'moderation', 'onboarding'],
    first,
  );
  for (const [value, colour] of first) assert.equal(later.get(value), colour);
  assert.equal(new Set(later.values()).size, later.size);
});
