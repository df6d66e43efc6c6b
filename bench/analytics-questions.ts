import {
  costs,
  dimensions,
  entities,
  eventDetail,
  events,
  parseCostsQuery,
  parseDimensionsQuery,
  parseEntitiesQuery,
  parseEventsQuery,
  parseSessionQuery,
  parseSessionsQuery,
  parseSpendLogsQuery,
  parseSpendPageQuery,
  parseSpendTagsQuery,
  parseTagHygieneQuery,
  parseTagKeyQuery,
  parseTagKeysQuery,
  parseTimeseriesQuery,
  session,
  sessions,
  spendLogs,
  spendPage,
  spendTags,
  tagHygiene,
  tagKey,
  tagKeys,
  timeseries,
  type SpendDeps,
  type TagDeps,
} from '#analytics';
import type { TimestampMs } from '#std';

export type Deps = TagDeps & SpendDeps;

export type Question = {
  readonly name: string;
  /** The most it may take, 95th percentile. */
  readonly targetMs: number;
  /** @param round variants of a question take turns */
  run(deps: Deps, round: number): Promise<unknown>;
  /** What has to be known to ask; not timed. */
  prepare?(deps: Deps, rounds: number): Promise<void>;
};

type Query = Readonly<Record<string, string>>;

const REPORT_MS = 150;
const LIST_MS = 100;
const ANY_MS = 500;

/** What dashboard and API ask. `now` is the end of the seeded time, so the default period is all of it. */
export function questionsAt(now: TimestampMs): readonly Question[] {
  const question = (name: string, targetMs: number, run: Question['run']): Question => ({ name, targetMs, run });
  const costsBy = (query: Query) => (deps: Deps) => costs(deps, parseCostsQuery(query, now));
  const over = (query: Query) => (deps: Deps) => timeseries(deps, parseTimeseriesQuery(query, now));
  const list = (query: Query) => (deps: Deps) => events(deps, parseEventsQuery(query, now));
  return [
    question('overview: total by day', REPORT_MS, over({ interval: 'day' })),
    question('overview: costs by feature', REPORT_MS, costsBy({ group_by: 'tags.feature' })),
    question('overview: features over days', ANY_MS, over({ interval: 'day', group_by: 'tags.feature' })),
    question('overview: what there is to group by', ANY_MS, (deps) => dimensions(deps, parseDimensionsQuery({}, now))),
    ...twoDimensions(now),
    question('by model', REPORT_MS, costsBy({ group_by: 'model' })),
    question('by customer', REPORT_MS, costsBy({ group_by: 'tags.customer' })),
    question('by user, 5,000 values', ANY_MS, costsBy({ group_by: 'tags.user' })),
    question('by entity', REPORT_MS, costsBy({})),
    question('by cost state', ANY_MS, costsBy({ group_by: 'cost_state' })),
    question('tree of labels', REPORT_MS, costsBy({ group_by: 'label' })),
    question('tree of paths', REPORT_MS, costsBy({ group_by: 'path' })),
    question('tree of paths below US', REPORT_MS, costsBy({ group_by: 'path:US' })),
    question('two dimensions: days by customer', REPORT_MS, over({ interval: 'day', group_by: 'tags.customer' })),
    question('two dimensions: a feature by model', ANY_MS, costsBy({ group_by: 'model', tags: 'feature:feature-1' })),
    question(
      'two dimensions: a customer by feature',
      ANY_MS,
      costsBy({ group_by: 'tags.feature', tags: 'customer:customer-2' }),
    ),
    question('hours by key', ANY_MS, over({ interval: 'hour', group_by: 'key' })),
    question('requests: first page', LIST_MS, list({})),
    question('requests: page 100', LIST_MS, list({ offset: '9900' })),
    question('requests: one customer', LIST_MS, list({ tags: 'customer:customer-7' })),
    question('requests: errors', LIST_MS, list({ status: 'upstream_error' })),
    byId('request: by call id', (ids) => ids.call),
    byId("request: by the provider's id", (ids) => ids.upstream),
    question('sessions: list', ANY_MS, (deps) => sessions(deps, parseSessionsQuery({}, now))),
    question('sessions: dearest', ANY_MS, (deps) => sessions(deps, parseSessionsQuery({ sort: 'cost' }, now))),
    question('session: its calls and tree', ANY_MS, (deps, round) =>
      session(deps, parseSessionQuery(`session-${3 * (round + 100)}`, {}, now)),
    ),
    question('tags: all keys', ANY_MS, (deps) => tagKeys(deps, parseTagKeysQuery({}, now))),
    question('tags: one key', ANY_MS, (deps) => tagKey(deps, parseTagKeyQuery('feature', {}, now))),
    question('tags: hygiene', ANY_MS, (deps) => tagHygiene(deps, parseTagHygieneQuery({}, now))),
    question('entities', ANY_MS, (deps) => entities(deps, parseEntitiesQuery({}, now))),
    question('LiteLLM: spend by day', ANY_MS, (deps) => spendLogs(deps, parseSpendLogsQuery(month(now), now))),
    question('LiteLLM: a page of logs', LIST_MS, (deps) => spendPage(deps, parseSpendPageQuery(month(now), now))),
    question('LiteLLM: spend by tag', ANY_MS, (deps) => spendTags(deps, parseSpendTagsQuery(month(now), now))),
  ];
}

function month(now: TimestampMs): Query {
  const day = (at: number): string => new Date(at).toISOString().slice(0, 10);
  return { start_date: day(now - 29 * 86_400_000), end_date: day(now) };
}

const FILTERS: readonly Query[] = [
  { tags: 'env:production,team:team-3' },
  { tags: 'customer:customer-2', model: 'gpt-4o' },
  { tags: 'feature:feature-1', provider: 'openai' },
  { tags: 'env:production', 'key.team': 'team-1' },
  { tags: 'env:staging,beta' },
  { tags: 'env:production', model: 'gpt-4o-mini' },
];

const PAIRS: readonly Query[] = [
  { interval: 'day', group_by: 'tags.feature' },
  { interval: 'day', group_by: 'model' },
  { interval: 'day', group_by: 'tags.customer' },
  { interval: 'hour', group_by: 'provider' },
  { interval: 'day', group_by: 'key' },
  { interval: 'day', group_by: 'label' },
  { interval: 'day', group_by: 'path' },
];

/** Time and another dimension, under two filters: every pairing takes its turn. */
function twoDimensions(now: TimestampMs): readonly Question[] {
  return [
    {
      name: 'two dimensions, two filters',
      targetMs: REPORT_MS,
      run: (deps, round) => {
        const filter = FILTERS[round % FILTERS.length] ?? {};
        const pair = PAIRS[round % PAIRS.length] ?? {};
        return timeseries(deps, parseTimeseriesQuery({ ...pair, ...filter }, now));
      },
    },
    {
      name: 'one dimension, two filters',
      targetMs: REPORT_MS,
      run: (deps, round) => {
        const filter = FILTERS[round % FILTERS.length] ?? {};
        const { group_by = 'model' } = PAIRS[round % PAIRS.length] ?? {};
        return costs(deps, parseCostsQuery({ ...filter, group_by }, now));
      },
    },
  ];
}

type Ids = { readonly call: string; readonly upstream: string };

/** A call from somewhere in the middle, another one each round. */
function byId(name: string, pick: (ids: Ids) => string): Question {
  const known = new Map<number, Ids>();
  return {
    name,
    targetMs: LIST_MS,
    async prepare(deps, rounds) {
      for (let round = 0; round < rounds; round += 1) known.set(round, await idsAt(deps, 1_000 + round * 970));
    },
    run: (deps, round) => eventDetail(deps, pick(known.get(round) ?? { call: '', upstream: '' })),
  };
}

async function idsAt({ store }: Deps, seq: number): Promise<Ids> {
  const [ids] = await store.query<Ids>(
    "SELECT call_id AS call, upstream_id AS upstream FROM entries WHERE seq >= {seq:UInt64} AND seq < {seq:UInt64} + 50 AND upstream_id != '' LIMIT 1",
    { seq },
  );
  if (ids === undefined) throw new Error(`there is no call near ${seq}`);
  return ids;
}
