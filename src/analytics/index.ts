/**
 * Is: the questions about money and their answers: query string → SQL on the store → rows as JSON.
 * Owns: query grammar, breakdowns, time buckets, the shapes of answers. Not: writing, HTTP, who may ask.
 * Holds: values of a caller are bound, never spliced; parts of a partition sum to the total; every answer says `as_of`.
 * Fails: `invalid_query` naming parameter and fix; `not_found`; what the store rejects passes through.
 */
export { costs, parseCostsQuery, type CostsAnswer, type CostsQuery } from './costs.ts';
export { parseTimeseriesQuery, timeseries, type TimeseriesAnswer, type TimeseriesQuery } from './timeseries.ts';
export { eventDetail, events, parseEventsQuery, type EventsAnswer, type EventsQuery } from './events.ts';
export { type WireEvent } from './event.ts';
export { type WireEventDetail } from './event-detail.ts';
export { dimensions, parseDimensionsQuery, type DimensionsAnswer, type DimensionsQuery } from './dimensions.ts';
export { entities, parseEntitiesQuery, type EntitiesAnswer, type EntitiesQuery } from './entities.ts';
export { parseSessionsQuery, sessions, type SessionsAnswer, type SessionsQuery } from './sessions.ts';
export { parseSessionQuery, session, type SessionAnswer, type SessionQuery } from './session.ts';
export { parseTagKeysQuery, tagKeys, type TagDeps, type TagKeysAnswer, type TagKeysQuery } from './tag-keys.ts';
export { parseTagKeyQuery, tagKey, type TagKeyAnswer, type TagKeyQuery } from './tag-key.ts';
export { parseTagHygieneQuery, tagHygiene, type TagHygieneAnswer, type TagHygieneQuery } from './hygiene/hygiene.ts';
export { type TagNote, type TagNotes } from './tag-numbers.ts';
export {
  parseSpendLogsQuery,
  parseSpendPageQuery,
  spendLogs,
  spendPage,
  type SpendLogsAnswer,
  type SpendLogsQuery,
  type SpendPageAnswer,
  type SpendPageQuery,
} from './spend/spend-logs.ts';
export {
  allTagNames,
  globalSpendTags,
  parseGlobalSpendTagsQuery,
  parseSpendTagsQuery,
  spendTags,
  type GlobalSpendTagsAnswer,
  type SpendTagsQuery,
} from './spend/spend-tags.ts';
export {
  parseTagActivityQuery,
  tagActivity,
  type TagActivityAnswer,
  type TagActivityQuery,
} from './spend/tag-activity.ts';
export { lastUses } from './last-uses.ts';
export { type KeyName, type SpendDeps } from './spend/spend-deps.ts';
export { agedOut, type AnalyticsDeps } from './report.ts';
export { withinReach } from './reach.ts';
export { type StoreReader } from './reader.ts';
export {
  parseLackingTag,
  parseWatch,
  watchedValues,
  watchFigures,
  type Watch,
  type WatchedTime,
  type WatchFigures,
} from './watch.ts';
