import { REPORTED, sumOfDays, type DaySums, type Findings, type Sums } from '#ledger/check';
import type { Measured, ReportFigures } from './report-figures.ts';

/** Parts of a partition add up to the total, each amount and count of it. */
export function checkParts({ groupBy, overlapping, parts, total }: ReportFigures, findings: Findings): void {
  if (overlapping) return;
  for (const name of REPORTED) {
    const sum = parts.reduce((all, { sums }) => all + valueOf(sums, name), 0n);
    if (sum !== valueOf(total, name))
      findings.fault(
        'reports.parts',
        `group_by=${groupBy}: ${name} of the parts is ${sum}, of the total ${valueOf(total, name)}`,
      );
  }
}

/** The total, and each day, are what the journal adds up to as far as the report saw it. */
export function checkTotal({ groupBy, parts, total }: ReportFigures, owed: DaySums, findings: Findings): void {
  compare(`group_by=${groupBy}`, { measured: total, sums: sumOfDays(owed) }, findings);
  if (groupBy !== 'day') return;
  for (const { value, sums: measured } of parts) {
    const sums = owed.get(value);
    if (sums === undefined)
      findings.fault('reports.total', `group_by=day has ${value}, and the journal has no entry of it`);
    else compare(`${value} of group_by=day`, { measured, sums }, findings);
  }
  const shown = new Set(parts.map(({ value }) => value));
  for (const day of owed.keys())
    if (!shown.has(day)) findings.fault('reports.total', `group_by=day lacks ${day}, of which the journal has entries`);
}

function compare(
  where: string,
  { measured, sums }: { readonly measured: Measured; readonly sums: Sums },
  findings: Findings,
): void {
  for (const name of REPORTED) {
    const [has, owed] = [valueOf(measured, name), sums.get(name)];
    if (has !== owed) findings.fault('reports.total', `${where}: ${name} is ${has}, of the journal ${owed}`);
  }
}

function valueOf(measured: Measured, name: (typeof REPORTED)[number]): bigint {
  return measured.get(name) ?? 0n;
}
