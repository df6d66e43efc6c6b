import assert from 'node:assert/strict';
import { EventEmitter } from 'node:events';
import { test } from 'node:test';
import { getHeapSpaceStatistics, setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { RunningCalls } from './running-calls.ts';

const AT_ONCE = 10;
const CALLS = 40_000;
const WORDS_PER_CALL = 1_000;
/** Of 320 MB that the calls take one after the other. With a set of them it is 25 MB and more. */
const MOST_BYTES = 10 * 1024 * 1024;

test('what has ended leaves nothing in the old generation, though all of it was collected before', () => {
  const collect = collector();
  const calls = new RunningCalls();
  const running: Answer[] = [];
  const serve = (count: number): void => {
    for (let call = 0; call < count; call += 1) {
      const answer = new Answer();
      calls.add(answer);
      running.push(answer);
      if (running.length > AT_ONCE) running.shift()?.emit('close');
    }
  };
  serve(AT_ONCE * 3);
  collect();
  serve(AT_ONCE * 3);
  const before = oldBytes();
  let most = before;
  for (let served = 0; served < CALLS; served += 1_000) {
    serve(1_000);
    most = Math.max(most, oldBytes());
  }
  assert.ok(most - before < MOST_BYTES, `${most - before} bytes`);
});

test('a stop waits for answers that have not ended, up to its deadline', async () => {
  const calls = new RunningCalls();
  assert.equal(await calls.drain(60_000), 0);
  const [first, second] = [new EventEmitter(), new EventEmitter()];
  calls.add(first);
  calls.add(second);
  first.emit('close');
  first.emit('close');
  assert.equal(await calls.drain(1), 1);
  const drained = calls.drain(60_000);
  second.emit('close');
  assert.equal(await drained, 0);
});

/** With what a request takes. */
class Answer extends EventEmitter {
  readonly words = Array.from({ length: WORDS_PER_CALL }, (_, word) => word);
}

function oldBytes(): number {
  const old = getHeapSpaceStatistics().filter(({ space_name: name }) => /^(?:old|large_object)_space$/.test(name));
  return old.reduce((sum, { space_used_size: bytes }) => sum + bytes, 0);
}

function collector(): () => void {
  setFlagsFromString('--expose-gc');
  const collect: unknown = runInNewContext('gc');
  assert.ok(typeof collect === 'function');
  return () => collect();
}
