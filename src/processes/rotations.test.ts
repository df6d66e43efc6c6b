import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ApportionError } from '#terms';
import type { ToGateway } from './messages.ts';
import { Rotations } from './rotations.ts';

test('a segment is sealed when the gateway process says so, each question by its own answer', async () => {
  const told: ToGateway[] = [];
  const rotations = new Rotations((message) => told.push(message));
  const [first, second] = [rotations.rotate(), rotations.rotate()];
  assert.deepEqual(told, [
    { type: 'rotate', id: 1 },
    { type: 'rotate', id: 2 },
  ]);
  rotations.rotated({ type: 'rotated', id: 2, seq: 8, problem: null });
  rotations.rotated({ type: 'rotated', id: 1, seq: 8, problem: 'the disk is full' });
  await second;
  await assert.rejects(first, isUnavailable);
});

test('a gateway process that does not answer is not waited for for ever', async () => {
  await assert.rejects(new Rotations(() => undefined, 1).rotate(), isUnavailable);
});

function isUnavailable(error: unknown): boolean {
  return error instanceof ApportionError && error.code === 'journal_unavailable';
}
