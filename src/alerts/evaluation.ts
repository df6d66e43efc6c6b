import {
  watchedValues,
  watchFigures,
  type StoreReader,
  type Watch,
  type WatchedTime,
  type WatchFigures,
} from '#analytics';
import type { Standing } from '#budgets';
import type { Log } from '#observe';
import type { Clock, TimestampMs } from '#std';
import type { PicoUsd } from '#terms';
import { judgeStandings, type NamedBudget } from './judge-budgets.ts';
import { judgeCalls } from './judge-calls.ts';
import { judgeHealth, type Health } from './judge-health.ts';
import type { Outbox } from './outbox.ts';
import type { Reading } from './reading.ts';
import type { RuleRecord } from './rule-record.ts';
import type { Rules } from './rules.ts';
import { watchOf, windowOf, type CallRule, type RuleOf } from './rule.ts';
import { lastWhole, windowsToSee, type RuleWindow } from './windows.ts';

export type EvaluationDeps = {
  readonly rules: Rules;
  readonly outbox: Outbox;
  readonly store: StoreReader;
  readonly budgets: () => Promise<readonly NamedBudget[]>;
  /** How budgets stand now; null while nobody can say. */
  readonly standings: () => Promise<readonly Standing[] | null>;
  readonly health: () => Promise<Health>;
  readonly clock: Clock;
  readonly log: Pick<Log, 'error'>;
};

type CallsOf<R extends CallRule = CallRule> = RuleRecord & { readonly rule: R };

const WEEK_MS = 7 * 24 * 60 * 60 * 1000;
const HOUR_MS = 60 * 60 * 1000;

/** Looks at every rule once: what is over becomes events, what is over no more ends them. One rule that cannot be evaluated keeps none of the others from it. */
export class Evaluation {
  readonly #deps: EvaluationDeps;
  /** What was usual at an hour does not change within it. By rule and hour. */
  #histories = new Map<string, ReadonlyMap<string, readonly PicoUsd[]>>();

  constructor(deps: EvaluationDeps) {
    this.#deps = deps;
  }

  async run(): Promise<void> {
    const { rules, log, clock } = this.#deps;
    const kept = new Map<string, ReadonlyMap<string, readonly PicoUsd[]>>();
    let asked: Promise<Health> | undefined;
    const health = (): Promise<Health> => (asked ??= this.#deps.health());
    for (const record of await rules.list()) {
      if (!record.rule.enabled) continue;
      try {
        await this.#evaluate(record, { now: clock.now(), kept, health });
      } catch (error) {
        log.error({ err: error, rule: record.id }, 'an alert rule could not be evaluated; it is tried again');
      }
    }
    this.#histories = kept;
  }

  async #evaluate(record: RuleRecord, run: Run): Promise<void> {
    const { outbox, store } = this.#deps;
    const { rule } = record;
    const { now } = run;
    if (rule.type === 'budget_threshold') {
      const standings = await this.#deps.standings();
      if (standings === null) return;
      const budgets = new Map((await this.#deps.budgets()).map((one) => [one.id, one]));
      await outbox.settle(record, { found: judgeStandings(rule, standings, { budgets, now }), upTo: now });
      return;
    }
    if (rule.type === 'journal_or_store_trouble') {
      await outbox.settle(record, { found: troubles(rule, await run.health(), now), upTo: now });
      return;
    }
    // Read before the figures: what arrives between the two is seen the next time.
    const { at } = store.asOf();
    const found = await this.#findCalls({ ...record, rule }, run);
    await outbox.settle(record, { found, upTo: at ?? record.evaluatedAt });
  }

  async #findCalls(record: CallsOf, { now, kept }: Run): Promise<readonly Reading[]> {
    const { rule } = record;
    const span = windowOf(rule);
    const watch = watchOf(rule);
    const isDecrease = rule.type === 'change' && rule.direction === 'down';
    const windows = isDecrease ? [lastWhole(span, now)] : windowsToSee({ ...record, span, now });
    const found: Reading[] = [];
    for (const seen of windows) {
      const figures = await this.#figures(watch, rule, seen.window);
      const before = rule.type === 'change' ? await this.#figures(watch, rule, seen.before) : [];
      const history =
        rule.type === 'anomaly' ? await this.#historyOf({ ...record, rule }, { watch, seen, kept }) : new Map();
      found.push(...judgeCalls(rule, { windowId: seen.id, window: seen.window, figures, before, history }));
    }
    return found;
  }

  #figures(watch: Watch, rule: CallRule, time: WatchedTime): Promise<readonly WatchFigures[]> {
    const lackingTag = rule.type === 'untagged_share' ? rule.tag : null;
    return watchFigures(this.#deps, watch, { time, lackingTag });
  }

  /** What every value cost in the same hour of the weeks before; only of values that are as old as that. */
  async #historyOf(
    { id, rule, updatedAt }: CallsOf<RuleOf<'anomaly'>>,
    { watch, seen, kept }: { readonly watch: Watch; readonly seen: RuleWindow; readonly kept: Kept },
  ): Promise<ReadonlyMap<string, readonly PicoUsd[]>> {
    const name = `${id} ${updatedAt} ${seen.id}`;
    const known = this.#histories.get(name);
    if (known !== undefined) {
      kept.set(name, known);
      return known;
    }
    const first = seen.window.start - rule.weeks * WEEK_MS;
    const old = await watchedValues(this.#deps, watch, hours(first - WEEK_MS, first + HOUR_MS));
    const history = new Map(Array.from(old, (value) => [value, [] as PicoUsd[]] as const));
    for (let week = 1; week <= rule.weeks; week += 1) {
      const start = seen.window.start - week * WEEK_MS;
      const figures = await watchFigures(this.#deps, watch, { time: hours(start, start + HOUR_MS), lackingTag: null });
      const amounts = new Map(figures.map((one) => [one.value, one[rule.of]]));
      // An hour without calls cost nothing, which is a figure like others.
      for (const [value, list] of history) list.push(amounts.get(value) ?? NOTHING);
    }
    kept.set(name, history);
    return history;
  }
}

type Run = {
  readonly now: TimestampMs;
  readonly kept: Kept;
  /** Asked once in a run. */
  readonly health: () => Promise<Health>;
};

type Kept = Map<string, ReadonlyMap<string, readonly PicoUsd[]>>;

const NOTHING = 0n as PicoUsd;

function hours(start: number, end: number): WatchedTime {
  return { start: start as TimestampMs, end: end as TimestampMs };
}

function troubles(rule: RuleOf<'journal_or_store_trouble'>, health: Health, now: TimestampMs): readonly Reading[] {
  const [current] = windowsToSee({ span: windowOf(rule), now, evaluatedAt: now, createdAt: now });
  return current === undefined ? [] : judgeHealth(rule, health, { windowId: current.id, window: current.window });
}
