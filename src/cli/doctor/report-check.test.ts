import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Findings, REPORTED, Sums, type DaySums } from '#ledger/check';
import { checkParts, checkTotal } from './report-check.ts';
import { parseReport, type ReportFigures } from './report-figures.ts';

type Wire = Record<string, unknown>;

/** A row as the server answers it: `cost` in US dollars, everything else a known zero. */
function row(value: string, cost: string, events: number): Wire {
  const fields = REPORTED.map((name) => [name, 0] as const);
  const exact = REPORTED.map((name) => [`${name}_exact`, '0'] as const);
  return { ...Object.fromEntries([...fields, ...exact]), value, total_cost_exact: cost, total_events: events };
}

function answer(rows: readonly Wire[], summary: Wire, overlapping = false): unknown {
  return { data: rows, summary, overlapping, as_of: { node_id: 'node_1', seq: 7, at: null } };
}

function found(check: (findings: Findings) => void): readonly string[] {
  const findings = new Findings();
  check(findings);
  return findings.list().map(({ rule, what }) => `${rule}: ${what}`);
}

const PARTS = [row('search', '0.000000000003', 2), row('(untagged)', '1', 1)];

test('parts that do not add up to the pico-dollar are named, and those of labels need not', () => {
  const sound = parseReport('tags.feature', answer(PARTS, row('', '1.000000000003', 3)));
  assert.deepEqual(
    found((findings) => checkParts(sound, findings)),
    [],
  );
  const off = answer(PARTS, row('', '1.000000000004', 3));
  assert.deepEqual(
    found((findings) => checkParts(parseReport('tags.feature', off), findings)),
    ['reports.parts: group_by=tags.feature: total_cost of the parts is 1000000000003, of the total 1000000000004'],
  );
  const overlapping = parseReport('label', answer(PARTS, row('', '1', 2), true));
  assert.deepEqual(
    found((findings) => checkParts(overlapping, findings)),
    [],
  );
});

/** Days of a journal: `total_cost` and `total_events` of each. */
function days(sums: Readonly<Record<string, readonly [bigint, bigint]>>): DaySums {
  const places = new Sums().values;
  const at = places.length - REPORTED.length;
  return new Map(
    Object.entries(sums).map(([day, [cost, events]]) => {
      const values = places.map(() => 0n);
      values[at + REPORTED.indexOf('total_cost')] = cost;
      values[at + REPORTED.indexOf('total_events')] = events;
      return [day, new Sums(values)];
    }),
  );
}

test('a total, or a day, that is not the journal’s is named', () => {
  const report: ReportFigures = parseReport(
    'day',
    answer([row('2026-03-01', '1', 1), row('2026-03-02', '2', 2)], row('', '3', 3)),
  );
  const usd = 1_000_000_000_000n;
  const check = (owed: DaySums): readonly string[] => found((findings) => checkTotal(report, owed, findings));
  assert.deepEqual(check(days({ '2026-03-01': [usd, 1n], '2026-03-02': [2n * usd, 2n] })), []);
  assert.deepEqual(check(days({ '2026-03-01': [usd, 1n], '2026-03-02': [2n * usd, 3n] })), [
    'reports.total: group_by=day: total_events is 3, of the journal 4',
    'reports.total: 2026-03-02 of group_by=day: total_events is 2, of the journal 3',
  ]);
  assert.deepEqual(check(days({ '2026-03-01': [usd, 1n], '2026-03-03': [2n * usd, 2n] })), [
    'reports.total: group_by=day has 2026-03-02, and the journal has no entry of it',
    'reports.total: group_by=day lacks 2026-03-03, of which the journal has entries',
  ]);
});

test('what is no answer of a report is refused, never read as zero', () => {
  assert.throws(() => parseReport('day', {}), /a report has rows|an answer is an object/);
  const { total_cost_exact: _cost, ...without } = row('', '1', 1);
  assert.throws(() => parseReport('day', answer([], without)), /total_cost_exact is an amount/);
});
