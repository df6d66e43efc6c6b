import assert from 'node:assert/strict';
import { EventEmitter, once } from 'node:events';
import { test } from 'node:test';
import { createAnnouncer, type Announcer } from './announcer.ts';

type Listener = { readonly announcer: Announcer; readonly heard: (() => void)[]; next(): Promise<unknown> };

/** Takes what it hears when the test says so. */
function listener(): Listener {
  const events = new EventEmitter();
  const heard: (() => void)[] = [];
  const announcer = createAnnouncer((taken) => {
    heard.push(taken);
    events.emit('heard');
  }, 1);
  return { announcer, heard, next: () => once(events, 'heard') };
}

test('many reasons are one announcement', async () => {
  const { announcer, heard, next } = listener();
  for (let reason = 0; reason < 1_000; reason += 1) announcer.soon();
  await next();
  assert.equal(heard.length, 1);
});

test('nothing is said to a process that stands still, until it took what was said before', async () => {
  const { announcer, heard, next } = listener();
  announcer.soon();
  await next();
  for (let reason = 0; reason < 1_000; reason += 1) announcer.soon();
  const other = listener();
  for (let turn = 0; turn < 20; turn += 1) {
    const said = other.next();
    other.announcer.soon();
    await said;
    other.heard.at(-1)?.();
  }
  assert.equal(heard.length, 1);
  heard[0]?.();
  await next();
  assert.equal(heard.length, 2);
  heard[1]?.();
  announcer.soon();
  await next();
  assert.equal(heard.length, 3);
});

test('a process that was started again is told, though the one before took nothing', async () => {
  const { announcer, heard, next } = listener();
  announcer.soon();
  await next();
  announcer.anew();
  assert.equal(heard.length, 2);
  announcer.soon();
  // What the one before makes of it says nothing of this one.
  heard[0]?.();
  heard[1]?.();
  await next();
  assert.equal(heard.length, 3);
});
