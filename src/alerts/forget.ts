import type { AlertQueries } from './database.ts';
import { fromRowEvent, type AlertEvent } from './event.ts';
import { bodyOf, fromRowRule, type RuleRecord } from './rule-record.ts';
import { isCallRule, type AlertRule } from './rule.ts';

/** A value that names somebody whose data is erased. */
export type ForgetRequest = {
  /** Whether a text holds the value. */
  readonly holds: (text: string) => boolean;
  /** A text with `erased` in the place of the value. */
  readonly without: (text: string) => string;
  readonly erased: string;
};

export type Forgotten = {
  readonly rows: number;
  /** Ids of rules and channels that still name it, since they are what somebody configured. */
  readonly stillNamedBy: readonly string[];
};

/**
 * Forgets a value: in events, and so in notifications that wait, since they are written from their events; in what receivers answered; in
 * overrides of rules, and in rules and channels that were deleted. Ids stay, so that receivers know a repetition; so does what it cost.
 */
export async function forgetInAlerts(database: AlertQueries, request: ForgetRequest): Promise<Forgotten> {
  const rows = await database.transaction().execute(async (queries) => {
    const rules = (await forgetDeleted(queries, request)) + (await forgetOverrides(queries, request));
    const events = await forgetEvents(queries, request);
    return rules + events.length + (await forgetAnswers(queries, request, new Set(events)));
  });
  return { rows, stillNamedBy: await namedBy(database, request) };
}

/** Of what was taken away nobody needs the words. */
async function forgetDeleted(queries: AlertQueries, { holds }: ForgetRequest): Promise<number> {
  const rules = await queries
    .selectFrom('alert_rules')
    .select(['id', 'body'])
    .where('deleted_at', 'is not', null)
    .execute();
  const goneRules = rules.filter(({ body }) => isNamedIn(body, holds)).map(({ id }) => id);
  for (const id of goneRules) await queries.deleteFrom('alert_rules').where('id', '=', id).execute();
  const channels = await queries
    .selectFrom('alert_channels')
    .select(['id', 'name'])
    .where('deleted_at', 'is not', null)
    .execute();
  const goneChannels = channels.filter(({ name }) => holds(name)).map(({ id }) => id);
  for (const id of goneChannels) await queries.deleteFrom('alert_channels').where('id', '=', id).execute();
  return goneRules.length + goneChannels.length;
}

/** A limit of somebody's own goes with them; of whoever only has a like name, it stays. */
async function forgetOverrides(queries: AlertQueries, request: ForgetRequest): Promise<number> {
  let forgotten = 0;
  for (const { id, rule, updatedAt } of await rulesOf(queries)) {
    const left = ruleWithout(rule, request);
    if (left !== rule) forgotten += 1;
    await queries
      .updateTable('alert_rules')
      // Every rule is a changed one: an evaluation under way, of figures that had the value, then writes nothing.
      .set({ updated_at: updatedAt + 1, body: JSON.stringify(bodyOf(left)) })
      .where('id', '=', id)
      .execute();
  }
  return forgotten;
}

function ruleWithout(rule: AlertRule, request: ForgetRequest): AlertRule {
  if (!isCallRule(rule)) return rule;
  const overrides = rule.overrides.filter(({ value }) => !isWhole(value, request));
  return overrides.length === rule.overrides.length ? rule : { ...rule, overrides };
}

/** The value, or an entity with its type before it. */
function isWhole(value: string, { without, erased }: ForgetRequest): boolean {
  const rest = without(value);
  return rest !== value && (rest === erased || rest.endsWith(`/${erased}`));
}

/** @returns the ids of those that named it */
async function forgetEvents(queries: AlertQueries, request: ForgetRequest): Promise<readonly string[]> {
  const events = (await queries.selectFrom('alert_events').selectAll().execute()).map(fromRowEvent);
  const held = events.filter((event) => [...placesOf(event), event.body.rule_name].some(request.holds));
  for (const event of held) {
    await queries
      .updateTable('alert_events')
      .set(eventWithout(event, request.without))
      .where('id', '=', event.id)
      .execute();
  }
  return held.map(({ id }) => id);
}

/** What receivers said goes whole: they may say back what they got, in any spelling, or half of it. */
async function forgetAnswers(
  queries: AlertQueries,
  { holds, erased }: ForgetRequest,
  events: ReadonlySet<string>,
): Promise<number> {
  const deliveries = await queries.selectFrom('alert_deliveries').select(['id', 'event_id', 'digest_id']).execute();
  const about = deliveries.filter(({ event_id: of }) => of !== null && events.has(of));
  const told = new Set(about.flatMap(({ id, digest_id: digest }) => (digest === null ? [id] : [id, digest])));
  const attempts = await queries.selectFrom('alert_attempts').select(['delivery_id', 'n', 'answer']).execute();
  const held = attempts.filter(
    ({ delivery_id: id, answer }) => answer !== '' && answer !== erased && (told.has(id) || holds(answer)),
  );
  for (const { delivery_id: id, n } of held) {
    await queries
      .updateTable('alert_attempts')
      .set({ answer: erased })
      .where('delivery_id', '=', id)
      .where('n', '=', n)
      .execute();
  }
  return held.length;
}

async function namedBy(database: AlertQueries, { holds }: ForgetRequest): Promise<readonly string[]> {
  const rules = await database.selectFrom('alert_rules').select(['id', 'body']).execute();
  const channels = await database.selectFrom('alert_channels').select(['id', 'name', 'shown']).execute();
  return [
    ...rules.filter(({ body }) => isNamedIn(body, holds)),
    ...channels.filter(({ name, shown }) => holds(name) || isNamedIn(shown, holds)),
  ].map(({ id }) => id);
}

async function rulesOf(queries: AlertQueries): Promise<readonly RuleRecord[]> {
  const rows = await queries.selectFrom('alert_rules').selectAll().where('deleted_at', 'is', null).execute();
  return rows.map(fromRowRule);
}

function isNamedIn(json: string, holds: ForgetRequest['holds']): boolean {
  let found = false;
  JSON.parse(json, (_, value: unknown) => {
    found ||= typeof value === 'string' && holds(value);
    return value;
  });
  return found;
}

/** Where an event says of whom it is: a budget and its instance, or a value; and the beginning of its sentence. */
function placesOf(event: AlertEvent): readonly string[] {
  return [...instanceOf(event), event.body.sentence.slice(0, whoLength(event))];
}

function instanceOf({ instance, body }: AlertEvent): readonly string[] {
  if (body.type === 'journal_or_store_trouble') return [];
  if (body.type !== 'budget_threshold') return [instance];
  const parts: unknown = JSON.parse(instance);
  return Array.isArray(parts) ? parts.map(String) : [instance];
}

/** A sentence says first who, then how much. In the figures the value of `4711` may stand by chance: they stay. */
function whoLength({ instance, body }: AlertEvent): number {
  const { type, sentence } = body;
  if (type === 'budget_threshold') return OF_BUDGET.exec(sentence)?.[1]?.length ?? 0;
  return sentence.startsWith(`${instance}: `) ? instance.length : 0;
}

const OF_BUDGET = /^(.*) (?:has reached|will reach) \$/s;

function eventWithout(
  event: AlertEvent,
  without: ForgetRequest['without'],
): { readonly instance: string; readonly body: string } {
  const { body } = event;
  const ofBudget = body.type === 'budget_threshold';
  const parts = instanceOf(event).map(without);
  const who = whoLength(event);
  const names = Object.entries(body.figures).map(([name, figure]) =>
    ofBudget && typeof figure === 'string' && NAMES.has(name) ? [name, without(figure)] : [name, figure],
  );
  return {
    instance: ofBudget ? JSON.stringify(parts) : (parts[0] ?? event.instance),
    body: JSON.stringify({
      ...body,
      rule_name: without(body.rule_name),
      sentence: without(body.sentence.slice(0, who)) + body.sentence.slice(who),
      figures: Object.fromEntries(names),
    }),
  };
}

/** Figures of an event of a budget that are none. */
const NAMES: ReadonlySet<string> = new Set(['budget_id', 'instance']);
