import type { TimestampMs } from '#std';
import { FILTER_PARAMETERS, parseFilter, type EntryFilter } from '../filter.ts';
import { parseParameters } from '../parameters.ts';
import {
  openReport,
  totalOf,
  toWireAsOf,
  toWireSummary,
  type AnalyticsDeps,
  type Report,
  type WireAsOf,
  type WireSummary,
} from '../report.ts';
import { keyNumbers, MOST_KEYS } from '../tag-keys.ts';
import { manyValuesIn, personalDataIn, similarIn, type Place, type WireFinding } from './finding.ts';
import { gapsByKey, gapsBySender, type WireKeyGap, type WireSenderGap } from './untagged.ts';
import {
  labelsInUse,
  MOST_TEXTS,
  pathsInUse,
  sessionsInUse,
  valuesOfKey,
  valuesOfSummedKeys,
  type Usage,
} from './usage.ts';

export type TagHygieneQuery = { readonly filter: EntryFilter };

export function parseTagHygieneQuery(query: unknown, now: TimestampMs): TagHygieneQuery {
  return { filter: parseFilter(parseParameters(query, FILTER_PARAMETERS), now) };
}

export type TagHygieneAnswer = {
  /** The dearest first. */
  readonly data: readonly WireFinding[];
  readonly untagged: { readonly by_key: readonly WireKeyGap[]; readonly by_api_key: readonly WireSenderGap[] };
  /** What was looked at: findings cannot be of anything else. */
  readonly looked_at: {
    readonly keys: number;
    readonly keys_with_values: number;
    readonly texts_each: number;
  };
  readonly summary: WireSummary;
  readonly as_of: WireAsOf;
};

/** Keys whose values are looked at, the dearest: each is a statement. */
const MOST_VALUE_KEYS = 50;

/** What could be tidier about tags. Nothing here changes a figure of any report. */
export async function tagHygiene(
  deps: AnalyticsDeps,
  query: TagHygieneQuery,
  signal?: AbortSignal,
): Promise<TagHygieneAnswer> {
  const report = openReport(deps, query.filter, signal);
  const [numbers, total, senders] = await Promise.all([
    keyNumbers(report, MOST_KEYS),
    totalOf(report),
    gapsBySender(report),
  ]);
  const keys = numbers.map(({ name, calls, cost }): Usage => ({ text: name, calls, cost, filter: null }));
  const [values, labels, paths, sessions] = await Promise.all([
    valuesFindings(report, keys.slice(0, MOST_VALUE_KEYS)),
    labelsInUse(report),
    pathsInUse(report),
    sessionsInUse(report),
  ]);
  const findings = [
    ...similarIn(KEY, keys),
    ...values,
    ...textFindings(LABEL, labels),
    ...textFindings(PATH, paths),
    ...personalDataIn(SESSION, sessions),
  ];
  return {
    data: findings.toSorted((left, right) => right.cost - left.cost || right.calls - left.calls),
    untagged: { by_key: gapsByKey(keys, total), by_api_key: senders },
    looked_at: {
      keys: keys.length,
      keys_with_values: Math.min(keys.length, MOST_VALUE_KEYS),
      texts_each: MOST_TEXTS,
    },
    summary: toWireSummary(total, query.filter),
    as_of: toWireAsOf(report.asOf),
  };
}

const KEY: Place = { at: 'key', key: null };
const LABEL: Place = { at: 'label', key: null };
const PATH: Place = { at: 'path', key: null };
const SESSION: Place = { at: 'session', key: null };

async function valuesFindings(report: Report, keys: readonly Usage[]): Promise<readonly WireFinding[]> {
  const summed = await valuesOfSummedKeys(
    report,
    keys.map(({ text }) => text),
  );
  const findings: WireFinding[] = [];
  // Those that are not summed up one after another: this report is in no hurry, and others want the second reader.
  for (const key of keys) {
    const { common, distinct } = summed.get(key.text) ?? (await valuesOfKey(report, key.text));
    const many = manyValuesIn(key, { distinct, common });
    const place: Place = { at: 'value', key: key.text };
    // Ids resemble each other by nature.
    findings.push(...many, ...(many.length > 0 ? personalDataIn(place, common) : textFindings(place, common)));
  }
  return findings;
}

function textFindings(place: Place, usages: readonly Usage[]): readonly WireFinding[] {
  return [...similarIn(place, usages), ...personalDataIn(place, usages)];
}
