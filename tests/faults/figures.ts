import { appendFileSync } from 'node:fs';
import type { TestContext } from 'node:test';

/** What happened in one scenario and what became of it; `npm run test:fault` makes a line of its table of each. */
export type ScenarioFigures = {
  readonly scenario: string;
  /** How often which fault struck. */
  readonly faults: Readonly<Record<string, number>>;
  readonly calls: number;
  readonly answered: number;
  /** Answered, and not in the ledger at the price on the bill. */
  readonly lost: number;
  readonly doubled: number;
  readonly inDoubt: number;
  /** Dollars, exact. */
  readonly atRisk: string;
  readonly billed: string;
  readonly settled: string;
  /** Billed and not settled: of calls that nobody was answered. */
  readonly rest: string;
  /** Bytes, at most. */
  readonly gatewayBytes: number;
  readonly ledgerBytes: number;
  /** What else this scenario says, by name. */
  readonly more: Readonly<Record<string, string | number>>;
};

/** Prints them, and leaves them for the table at the end of `npm run test:fault`. */
export function tellFigures(t: TestContext, figures: ScenarioFigures): void {
  const { scenario: _, faults, more, gatewayBytes, ledgerBytes, ...counts } = figures;
  const all = { ...faults, ...counts, gateway: megabytes(gatewayBytes), ledger: megabytes(ledgerBytes), ...more };
  t.diagnostic(
    Object.entries(all)
      .map(([name, figure]) => `${name} ${figure}`)
      .join(', '),
  );
  const file = process.env['APPORTION_FAULT_FIGURES'];
  if (file !== undefined) appendFileSync(file, `${JSON.stringify(figures)}\n`);
}

export function megabytes(bytes: number): string {
  return `${(bytes / 1024 / 1024).toFixed(0)} MB`;
}
