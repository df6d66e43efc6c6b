import type { WatchFigures } from '#analytics';
import { formatUsd, picoUsd, ZERO_USD, type PicoUsd } from '#terms';
import { absolute, isShare, percentOf, usdText, type Reading, type Said } from './reading.ts';
import type { CallRule, Override, RuleOf } from './rule.ts';

/** What is known of one window of a rule. */
export type CallFacts = {
  readonly windowId: string;
  readonly window: Reading['window'];
  readonly figures: readonly WatchFigures[];
  /** The window before, for `change`. */
  readonly before: readonly WatchFigures[];
  /** What each value cost in the same hour of the weeks before, for `anomaly`; only of those that were seen so long ago. */
  readonly history: ReadonlyMap<string, readonly PicoUsd[]>;
};

type Verdict = { readonly threshold: string; readonly said: Said };

type Case = {
  readonly who: string;
  readonly now: WatchFigures;
  readonly before: WatchFigures;
  readonly history: readonly PicoUsd[] | undefined;
  readonly limits: Partial<Override>;
};

/** Which values of a rule are over in a window. Pure: figures in, readings out. */
export function judgeCalls(rule: CallRule, facts: CallFacts): readonly Reading[] {
  const now = byValue(facts.figures);
  const before = byValue(facts.before);
  const limits = new Map(rule.overrides.map((one) => [one.value, one]));
  return [...new Set([...now.keys(), ...before.keys()])].flatMap((value) => {
    const own = limits.get(value);
    if (own?.off === true) return [];
    const verdict = judge(rule, {
      who: rule.for_each === null ? 'All calls in scope' : value,
      now: now.get(value) ?? nothingOf(value),
      before: before.get(value) ?? nothingOf(value),
      history: facts.history.get(value),
      limits: own ?? {},
    });
    if (verdict === null) return [];
    return [{ instance: value, windowId: facts.windowId, window: facts.window, lasts: false, ...verdict }];
  });
}

function judge(rule: CallRule, one: Case): Verdict | null {
  switch (rule.type) {
    case 'spend_over':
      return judgeSpend(rule, one);
    case 'change':
      return judgeChange(rule, one);
    case 'anomaly':
      return judgeAnomaly(rule, one);
    case 'error_rate':
      return judgeErrors(rule, one);
    case 'untagged_share':
      return judgeUntagged(rule, one);
    case 'unpriced_calls':
      return judgeUnpriced(rule, one);
    case 'reconciliation_drift':
      return judgeDrift(rule, one);
  }
}

function judgeSpend(rule: RuleOf<'spend_over'>, { who, now, limits }: Case): Verdict | null {
  const limit = limits.amount_usd ?? rule.amount_usd;
  const spent = now[rule.of];
  if (spent <= limit) return null;
  return {
    threshold: `over ${formatUsd(limit)}`,
    said: {
      sentence: `${who}: ${usdText(spent)} in this ${rule.window}, more than ${usdText(limit)}.`,
      figures: { [`${rule.of}_usd`]: formatUsd(spent), limit_usd: formatUsd(limit) },
    },
  };
}

function judgeChange(rule: RuleOf<'change'>, { who, now, before, limits }: Case): Verdict | null {
  const percent = limits.percent ?? rule.percent;
  const minimum = limits.minimum_usd ?? rule.minimum_usd;
  const [spent, base] = [now[rule.of], before[rule.of]];
  const by = rule.direction === 'up' ? spent - base : base - spent;
  if (by <= 0n || by < minimum || !isShare(by, absolute(base), percent)) return null;
  const share = percentOf(by, base);
  const word = rule.direction === 'up' ? 'more' : 'less';
  return {
    threshold: `${rule.direction} ${percent}% ${formatUsd(minimum)}`,
    said: {
      sentence: `${who}: ${usdText(spent)} in the ${rule.window}, ${usdText(picoUsd(by))} ${word} than the ${usdText(base)} of the ${rule.window} before${share === null ? '' : ` (${share} %)`}.`,
      figures: {
        [`${rule.of}_usd`]: formatUsd(spent),
        before_usd: formatUsd(base),
        change_usd: formatUsd(picoUsd(spent - base)),
        change_percent: share === null ? null : rule.direction === 'up' ? share : -share,
      },
    },
  };
}

/** The median absolute deviation of a normal distribution, times this, is its standard deviation. */
const MAD_SCALE = 14_826n;

function judgeAnomaly(rule: RuleOf<'anomaly'>, { who, now, history, limits }: Case): Verdict | null {
  // Of what is too new, nobody can say what is usual.
  if (history === undefined || history.length < rule.weeks) return null;
  const spent = now[rule.of];
  const usual = median(history);
  const deviation = median(history.map((one) => absolute(picoUsd(one - usual))));
  const above = picoUsd(spent - usual);
  const tenths = BigInt(Math.round((limits.deviations ?? rule.deviations) * 10));
  const minimum = limits.minimum_usd ?? rule.minimum_usd;
  const percent = limits.percent ?? rule.percent;
  const allowed = picoUsd((deviation * MAD_SCALE * tenths) / 100_000n);
  if (above <= allowed || above < minimum || !isShare(above, usual, percent)) return null;
  return {
    threshold: 'unusual',
    said: {
      sentence: `${who}: ${usdText(spent)} in this hour, usual at this hour of the week are ${usdText(usual)}, at most ${usdText(picoUsd(usual + allowed))}.`,
      figures: {
        [`${rule.of}_usd`]: formatUsd(spent),
        median_usd: formatUsd(usual),
        mad_usd: formatUsd(deviation),
        upper_usd: formatUsd(picoUsd(usual + allowed)),
        weeks: history.length,
      },
    },
  };
}

/** Of an even number, the mean of the two in the middle, rounded down. */
function median(amounts: readonly PicoUsd[]): PicoUsd {
  const sorted = amounts.toSorted((left, right) => (left < right ? -1 : left > right ? 1 : 0));
  const upper = sorted[Math.floor(sorted.length / 2)];
  const lower = sorted[Math.floor((sorted.length - 1) / 2)];
  return upper === undefined || lower === undefined ? ZERO_USD : picoUsd((lower + upper) / 2n);
}

function judgeErrors(rule: RuleOf<'error_rate'>, { who, now, limits }: Case): Verdict | null {
  const percent = limits.percent ?? rule.percent;
  if (now.calls < (limits.calls ?? rule.calls)) return null;
  if (now.failed === 0 || !isShare(BigInt(now.failed), BigInt(now.calls), percent)) return null;
  const share = percentOf(BigInt(now.failed), BigInt(now.calls));
  return {
    threshold: `errors ${percent}%`,
    said: {
      sentence: `${who}: ${now.failed} of ${now.calls} calls failed in this ${rule.window} (${share} %).`,
      figures: { failed: now.failed, calls: now.calls, percent: share },
    },
  };
}

function judgeUntagged(rule: RuleOf<'untagged_share'>, { who, now, limits }: Case): Verdict | null {
  const percent = limits.percent ?? rule.percent;
  const { lacking, cost } = now;
  if (lacking <= 0n || lacking < (limits.minimum_usd ?? rule.minimum_usd) || !isShare(lacking, cost, percent))
    return null;
  const share = percentOf(lacking, cost);
  const what = rule.tag === null ? 'no tag at all' : `no tag ${rule.tag}`;
  return {
    threshold: `untagged ${rule.tag ?? ''} ${percent}%`,
    said: {
      sentence: `${who}: ${usdText(lacking)} of ${usdText(cost)} in this ${rule.window} have ${what} (${share} %).`,
      figures: { untagged_usd: formatUsd(lacking), cost_usd: formatUsd(cost), percent: share },
    },
  };
}

function judgeUnpriced(rule: RuleOf<'unpriced_calls'>, { who, now, limits }: Case): Verdict | null {
  const most = limits.calls ?? rule.calls;
  if (now.unpriced < most) return null;
  return {
    threshold: `unpriced ${most}`,
    said: {
      sentence: `${who}: ${now.unpriced} attempts in this ${rule.window} have no price, so their cost is unknown.`,
      figures: { unpriced: now.unpriced, calls: now.calls },
    },
  };
}

function judgeDrift(rule: RuleOf<'reconciliation_drift'>, { who, now, limits }: Case): Verdict | null {
  const percent = limits.percent ?? rule.percent;
  const { reported, computed } = now;
  const off = absolute(picoUsd(reported - computed));
  if (off === 0n || off < (limits.minimum_usd ?? rule.minimum_usd) || !isShare(off, absolute(computed), percent))
    return null;
  return {
    threshold: `drift ${percent}%`,
    said: {
      sentence: `${who}: providers state ${usdText(reported)} in this ${rule.window} where prices say ${usdText(computed)}.`,
      figures: {
        reported_usd: formatUsd(reported),
        computed_usd: formatUsd(computed),
        drift_percent: percentOf(off, computed),
      },
    },
  };
}

function byValue(figures: readonly WatchFigures[]): ReadonlyMap<string, WatchFigures> {
  return new Map(figures.map((one) => [one.value, one]));
}

/** A value without entries in a window: it has spent nothing there. */
function nothingOf(value: string): WatchFigures {
  const [cost, billed, lacking, reported, computed] = [ZERO_USD, ZERO_USD, ZERO_USD, ZERO_USD, ZERO_USD];
  return { value, cost, billed, lacking, reported, computed, calls: 0, failed: 0, unpriced: 0 };
}
