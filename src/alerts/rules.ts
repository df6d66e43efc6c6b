import type { RandomBytes } from '#accounts';
import type { Clock, TimestampMs } from '#std';
import { ApportionError } from '#terms';
import { audited, type AuditedDeps } from './audited.ts';
import type { AlertQueries } from './database.ts';
import type { Outbox } from './outbox.ts';
import { bodyOf, fromRowRule, type RuleRecord } from './rule-record.ts';
import { parseRule, type AlertRule } from './rule.ts';

export type RulesDeps = AuditedDeps & {
  readonly database: AlertQueries;
  readonly outbox: Outbox;
  /** Told when there is a rule to be looked at anew. */
  readonly changed: () => void;
  readonly clock: Clock;
  readonly random: RandomBytes;
};

/** Each is evaluated every minute. */
const MOST_RULES = 500;

/** The rules, and every change of them in the audit log. */
export class Rules {
  readonly #deps: RulesDeps;

  constructor(deps: RulesDeps) {
    this.#deps = deps;
  }

  async list(): Promise<readonly RuleRecord[]> {
    const rows = await this.#deps.database
      .selectFrom('alert_rules')
      .selectAll()
      .where('deleted_at', 'is', null)
      .orderBy('created_at')
      .orderBy('id')
      .execute();
    return rows.map(fromRowRule);
  }

  async get(id: string): Promise<RuleRecord> {
    const row = await this.#deps.database
      .selectFrom('alert_rules')
      .selectAll()
      .where('id', '=', id)
      .where('deleted_at', 'is', null)
      .executeTakeFirst();
    if (row !== undefined) return fromRowRule(row);
    throw new ApportionError('not_found', 'There is no such rule.', { hint: 'GET /v1/alerts/rules lists them.' });
  }

  async create(body: unknown, actor: string): Promise<RuleRecord> {
    const { clock, random } = this.#deps;
    const rule = parseRule(body);
    await this.#requireChannels(rule);
    const id = `alr_${Buffer.from(random(10)).toString('hex')}`;
    const event = { actor, action: 'alert_rule.create', target: id, detail: bodyOf(rule) };
    await audited(this.#deps, event, async (queries) => {
      const now = clock.now();
      await queries
        .insertInto('alert_rules')
        .values({
          id,
          body: JSON.stringify(bodyOf(rule)),
          muted_until: null,
          // What was before a rule is nobody's alarm.
          evaluated_at: now,
          created_at: now,
          created_by: actor,
          updated_at: now,
          deleted_at: null,
        })
        .execute();
      const { count } = await queries
        .selectFrom('alert_rules')
        .select((all) => all.fn.countAll().as('count'))
        .where('deleted_at', 'is', null)
        .executeTakeFirstOrThrow();
      if (Number(count) > MOST_RULES) throw tooMany();
    });
    this.#deps.changed();
    return this.get(id);
  }

  /** @param change fields of the rule; those it does not name stay */
  async update(id: string, change: unknown, actor: string): Promise<RuleRecord> {
    const before = await this.get(id);
    const rule = parseRule({ ...bodyOf(before.rule), ...asFields(change) });
    if (rule.type !== before.rule.type) {
      throw new ApportionError('invalid_field', 'type: a rule keeps its type.', {
        param: 'type',
        hint: 'Make a new rule and delete this one.',
      });
    }
    await this.#requireChannels(rule);
    await this.#change(
      before,
      { body: JSON.stringify(bodyOf(rule)) },
      { actor, action: 'alert_rule.update', detail: bodyOf(rule) },
    );
    const after = await this.get(id);
    if (!rule.enabled) await this.#settle(after);
    this.#deps.changed();
    return after;
  }

  /** Until then nobody is told; events are listed all the same. Null ends it. */
  async mute(id: string, until: TimestampMs | null, actor: string): Promise<RuleRecord> {
    const before = await this.get(id);
    const detail = { until: until === null ? null : new Date(until).toISOString() };
    const action = until === null ? 'alert_rule.unmute' : 'alert_rule.mute';
    await this.#change(before, { muted_until: until }, { actor, action, detail });
    return this.get(id);
  }

  /** What fires of it ends, and whoever was told is told. */
  async delete(id: string, actor: string): Promise<RuleRecord> {
    const before = await this.get(id);
    await this.#settle(before);
    const detail = { name: before.rule.name };
    await this.#change(before, { deleted_at: this.#deps.clock.now() }, { actor, action: 'alert_rule.delete', detail });
    return before;
  }

  async #settle(record: RuleRecord): Promise<void> {
    await this.#deps.outbox.settle(record, { found: [], upTo: record.evaluatedAt });
  }

  async #change(
    record: RuleRecord,
    change: { readonly body?: string; readonly muted_until?: number | null; readonly deleted_at?: number },
    event: { readonly actor: string; readonly action: string; readonly detail: Readonly<Record<string, unknown>> },
  ): Promise<void> {
    await audited(this.#deps, { ...event, target: record.id }, async (queries) => {
      // One that two change in one millisecond is still two different ones.
      const updatedAt = Math.max(this.#deps.clock.now(), record.updatedAt + 1);
      await queries
        .updateTable('alert_rules')
        .set({ ...change, updated_at: updatedAt })
        .where('id', '=', record.id)
        .execute();
    });
  }

  async #requireChannels({ channels }: AlertRule): Promise<void> {
    for (const id of channels) {
      const row = await this.#deps.database
        .selectFrom('alert_channels')
        .select('id')
        .where('id', '=', id)
        .where('deleted_at', 'is', null)
        .executeTakeFirst();
      if (row !== undefined) continue;
      throw new ApportionError('invalid_field', `channels: there is no channel ${id}.`, {
        param: 'channels',
        hint: 'GET /v1/alerts/channels lists them.',
      });
    }
  }
}

export function asFields(change: unknown): Readonly<Record<string, unknown>> {
  if (typeof change === 'object' && change !== null && !Array.isArray(change)) return { ...change };
  throw new ApportionError('invalid_field', 'The body is no object.', { hint: 'Send the fields that change.' });
}

function tooMany(): ApportionError {
  return new ApportionError('conflict', `There are ${MOST_RULES} rules already.`, {
    hint: 'One rule with for_each watches every value of a tag.',
  });
}
