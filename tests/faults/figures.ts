import { appendFileSync } from 'node:fs';
import type { TestContext } from 'node:test';

/** The figures of one scenario, by their names. */
export type Figures = Readonly<Record<string, string | number>>;

/** Prints them, and leaves them for the table at the end of `npm run test:fault`. */
export function tellFigures(t: TestContext, scenario: string, figures: Figures): void {
  t.diagnostic(
    Object.entries(figures)
      .map(([name, figure]) => `${name} ${figure}`)
      .join(', '),
  );
  const file = process.env['APPORTION_FAULT_FIGURES'];
  if (file !== undefined) appendFileSync(file, `${JSON.stringify({ scenario, figures })}\n`);
}

export function megabytes(bytes: number): string {
  return `${(bytes / 1024 / 1024).toFixed(0)} MB`;
}
