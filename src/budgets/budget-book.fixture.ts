import assert from 'node:assert/strict';
import { NOON, wanted } from './budget.fixture.ts';
import { BudgetBook, type Budget, type Reserve, type Shortfall } from './index.ts';

export function bookOf(...budgets: readonly Budget[]): BudgetBook {
  const book = new BudgetBook();
  book.replace(budgets);
  return book;
}

export function admitted(book: BudgetBook, given: Partial<Reserve> = {}): string {
  const asked = wanted(given);
  assert.deepEqual(book.reserve(asked), { kind: 'admitted', over: [] });
  return asked.id;
}

export function refused(book: BudgetBook, given: Partial<Reserve> = {}): Shortfall {
  const admission = book.reserve(wanted(given));
  assert.equal(admission.kind, 'refused');
  return admission.kind === 'refused' ? admission.by : assert.fail();
}

/** Spent, reserved, at risk and overrun of each budget, in dollars. */
export function standing(book: BudgetBook, at = NOON): readonly (readonly number[])[] {
  return book
    .standing(at)
    .map(({ spent, reserved, atRisk, overrun }) =>
      [spent, reserved, atRisk, overrun].map((pico) => Number(pico) / 1e12),
    );
}

export const EACH_CUSTOMER = [{ on: 'dimension', key: 'customer', values: { kind: 'each' } }] as const;
