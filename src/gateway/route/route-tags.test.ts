import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import type { TagRouting } from '#config';
import { tagsOf } from '../routing.fixture.ts';
import { askedTags, misfits, routeTagText, toRouteTag, type RouteTag } from './route-tags.ts';

const ANY: TagRouting = { enabled: true, match: 'any', prefix: '' };
const ALL: TagRouting = { ...ANY, match: 'all' };

const compile = (tags: readonly string[]): readonly RouteTag[] => tags.flatMap((tag) => toRouteTag(tag) ?? []);

/** Which deployments take a call, by their names. */
function takers(
  deployments: Readonly<Record<string, readonly string[]>>,
  tags: unknown,
  { rules = ANY, team = '' }: { readonly rules?: TagRouting; readonly team?: string } = {},
): string {
  const asked = askedTags(tagsOf(tags === undefined ? {} : { tags }, team), rules);
  const why = misfits(asked, Object.values(deployments).map(compile), rules);
  return Object.keys(deployments)
    .filter((_, at) => why[at] === null)
    .join(' ');
}

const TIERS = { free: ['free'], paid: ['paid'], usual: ['default'] };
const WITHOUT_DEFAULT = { free: ['free'], paid: ['paid'] };
const REGIONS = { eu: ['region:eu', 'default'], us: ['region:us', 'fast'], both: ['region:us', 'region:eu', 'fast'] };

test('a call goes to the deployments that have one of its tags', () => {
  assert.equal(takers(TIERS, ['free']), 'free');
  assert.equal(takers(TIERS, ['paid', 'beta']), 'paid');
  assert.equal(takers(TIERS, ['free', 'paid']), 'free paid');
});

test('without tags, and with tags nobody has, it goes to the default, or where there is none to all, or to none', () => {
  assert.equal(takers(TIERS, undefined), 'usual');
  assert.equal(takers(TIERS, ['beta']), 'usual');
  assert.equal(takers(TIERS, ['default']), 'usual');
  assert.equal(takers(WITHOUT_DEFAULT, undefined), 'free paid');
  assert.equal(takers(WITHOUT_DEFAULT, ['beta']), '');
});

test('with all to be matched a deployment needs every tag of the call', () => {
  const rules = ALL;
  assert.equal(takers(REGIONS, ['region:us', 'fast'], { rules }), 'us both');
  assert.equal(takers(REGIONS, ['fast', 'region:eu'], { rules }), 'both');
  assert.equal(takers(TIERS, ['free', 'paid'], { rules }), '');
  assert.equal(takers(TIERS, ['beta'], { rules }), 'usual');
});

test('! leaves out, & insists, and both go before plain tags', () => {
  assert.equal(takers(TIERS, ['!free']), 'usual');
  assert.equal(takers(WITHOUT_DEFAULT, ['!free']), 'paid');
  assert.equal(takers(TIERS, ['&paid']), 'paid');
  assert.equal(takers(TIERS, ['free', '&paid']), '');
  assert.equal(takers(REGIONS, ['fast', '!region:eu']), 'us');
  assert.equal(takers(REGIONS, ['&region:eu', '!default']), 'both');
  assert.equal(takers(TIERS, ['!default']), '');
  assert.equal(takers(TIERS, ['&gold']), '');
});

test('a tag that a deployment has is meant for it: where that is left out, the default does not stand in', () => {
  assert.equal(takers(TIERS, ['free', '!free']), '');
});

test('a dimension asks only where a deployment knows its key', () => {
  const tiers = { gold: ['tier:gold'], silver: ['tier:silver'], usual: ['default'] };
  assert.equal(takers(tiers, { tier: 'gold', customer: 'acme' }), 'gold');
  assert.equal(takers(tiers, { customer: 'acme' }), 'usual');
  assert.equal(takers(tiers, { tier: 'bronze' }), 'usual');
  assert.equal(takers({ gold: ['tier:gold'], any: [] }, { customer: 'acme' }), 'gold any');
  assert.equal(takers({ gold: ['tier:gold'], any: [] }, { tier: 'bronze' }), '');
  assert.equal(takers({ a: ['team:growth'], b: ['team:core'] }, undefined, { team: 'core' }), 'b');
});

test('a tag takes what is below it, by whole segments', () => {
  const places = { us: ['US'], uk: ['UK/London'], usual: ['default'] };
  assert.equal(takers(places, ['US/California/SF']), 'us');
  assert.equal(takers(places, ['USA']), 'usual');
  assert.equal(takers(places, ['UK']), 'usual');
  assert.equal(takers(places, ['&UK']), 'uk');
  assert.equal(takers(places, ['!UK', 'US/Texas']), 'us');
});

test('with a prefix only tags that begin with it ask, whatever form it makes of them', () => {
  for (const prefix of ['route:', 'route-', 'r/']) {
    const rules = { ...ANY, prefix };
    assert.equal(takers(TIERS, [`${prefix}free`, 'paid', 'team:growth'], { rules }), 'free');
    assert.equal(takers(TIERS, ['paid'], { rules }), 'usual');
    assert.equal(takers(WITHOUT_DEFAULT, [`${prefix}!free`], { rules }), 'paid');
    assert.equal(takers(TIERS, [`${prefix}free`, `${prefix}&paid`], { rules }), '');
    assert.equal(takers(REGIONS, [`${prefix}&region:eu`], { rules }), 'eu both');
    assert.equal(takers(TIERS, [`${prefix}free`, `${prefix}paid`], { rules }), 'free paid');
  }
});

test('deployments without any tags take every call that does not insist', () => {
  const bare = { one: [], two: [] };
  assert.equal(takers(bare, ['free', 'x:y']), 'one two');
  assert.equal(takers(bare, ['!free']), 'one two');
  assert.equal(takers(bare, ['&free']), '');
  assert.equal(takers(TIERS, ['free', '&gold'], { rules: { ...ANY, enabled: false } }), 'free paid usual');
});

const word = fc.constantFrom<string>('a', 'b', 'c', 'k:a', 'k:b', 'a/b', 'default');
const sent = fc.tuple(fc.constantFrom('', '', '!', '&'), word).map((parts) => parts.join(''));

test('whatever is asked: nothing that is excluded or lacks what is required takes a call, and what has a tag that is asked for does', () => {
  fc.assert(
    fc.property(
      fc.array(fc.uniqueArray(word, { maxLength: 3 }), { minLength: 1, maxLength: 5 }),
      fc.uniqueArray(sent, { maxLength: 4 }),
      fc.constantFrom(ANY, ALL),
      (deployments, tags, rules) => {
        const asked = askedTags(tagsOf({ tags }), rules);
        const compiled = deployments.map(compile);
        const why = misfits(asked, compiled, rules);
        const has = (own: readonly RouteTag[], tag: RouteTag): boolean =>
          own.some(({ key, text }) => key === tag.key && (text === tag.text || text.startsWith(`${tag.text}/`)));
        const able = compiled.map(
          (own) => asked.required.every((tag) => has(own, tag)) && !asked.excluded.some((tag) => has(own, tag)),
        );
        for (const [at] of compiled.entries()) if (why[at] === null) assert.ok(able[at]);
        const wanted = asked.plain.map(routeTagText);
        const plain = deployments.map((own) =>
          rules.match === 'any'
            ? wanted.some((tag) => own.includes(tag))
            : wanted.length > 0 && wanted.every((tag) => own.includes(tag)),
        );
        const found = compiled.some((_, at) => able[at] === true && plain[at] === true);
        if (found) assert.ok(why.includes(null), 'one that fits is found');
        for (const [at] of compiled.entries())
          if (able[at] === true && plain[at] === true) assert.equal(why[at], null, `${deployments[at]?.join()} fits`);
      },
    ),
    { numRuns: 2_000 },
  );
});
