import assert from 'node:assert/strict';
import { test } from 'node:test';
import { BudgetFigures } from './budget-figures.ts';
import type { ToGateway } from './messages.ts';

test('standings are those of the answer to the very question; a journal that has failed has none', async () => {
  const told: ToGateway[] = [];
  const figures = new BudgetFigures((message) => told.push(message));
  const [first, second] = [figures.standings(), figures.standings()];
  assert.deepEqual(told, [
    { type: 'standings', id: 1 },
    { type: 'standings', id: 2 },
  ]);
  figures.answered({ type: 'standings', id: 2, standings: [] });
  figures.answered({ type: 'standings', id: 1, standings: null });
  assert.deepEqual([await first, await second], [null, []]);
});

test('who listens is told of crossings', () => {
  const figures = new BudgetFigures(() => undefined);
  const heard: number[] = [];
  figures.onCrossed((crossings) => heard.push(crossings.length));
  figures.crossed([]);
  assert.deepEqual(heard, [0]);
});

test('a gateway process that does not answer is not waited for for ever', async () => {
  assert.equal(await new BudgetFigures(() => undefined, 1).standings(), null);
});
