import { styleText } from 'node:util';
import { formatPlace, RULES, type Finding } from '#ledger/check';
import type { Examination } from './examine.ts';

/** What a person reads: what was looked at, with figures, then what was found, each with its place and what to do. */
export function examinationText({ dir, server, findings, checked, skipped, seconds }: Examination): string {
  const faults = findings.filter(({ level }) => level === 'fault').length;
  return [
    `${bold('apportion doctor')}: ${dir}`,
    `  server     ${server}`,
    ...checked.map(({ what, figures }) => `  ${what.padEnd(10)} ${figuresText(figures)}`),
    '',
    ...findings.flatMap(findingLines),
    ...skipped.map(({ what, why }) => `  NOT CHECKED ${what}: ${why}\n`),
    `  ${verdict(faults, skipped.length)}, ${counted(findings.length - faults, 'notice')}, in ${seconds} s`,
  ].join('\n');
}

function verdict(faults: number, skipped: number): string {
  if (faults > 0) return bold(counted(faults, 'fault'));
  return skipped > 0 ? bold('Nothing is wrong in what could be checked') : bold('Nothing is wrong');
}

function figuresText(figures: Examination['checked'][number]['figures']): string {
  return Object.entries(figures)
    .map(([name, value]) => `${name} ${typeof value === 'number' ? value.toLocaleString('en-US') : (value ?? '-')}`)
    .join(', ');
}

function findingLines({ rule, level, what, place, todo }: Finding): readonly string[] {
  const where = formatPlace(place);
  const name = level === 'fault' ? bold(`FAULT  ${rule}`) : `notice ${rule}`;
  return [
    `  ${name}${where === '' ? '' : ` ${where}`}`,
    `    ${what}`,
    ...(level === 'fault' ? [`    Must hold: ${RULES[rule].says}.`, `    What to do: ${todo}`] : []),
    '',
  ];
}

function counted(count: number, noun: string): string {
  return `${count} ${noun}${count === 1 ? '' : 's'}`;
}

function bold(text: string): string {
  return styleText('bold', text);
}
