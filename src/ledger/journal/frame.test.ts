import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { FrameEncoder, parseEntry, parseFrame, parseIntent, parseVoid } from './frame.ts';

type Written =
  | { kind: 'intent'; attempt: string; text: string }
  | { kind: 'entry'; attempt: string; text: string; seq: number }
  | { kind: 'void'; attempt: string };

const text = fc.string({ unit: 'grapheme', maxLength: 300 });
const attempt = fc.string({ unit: 'grapheme', maxLength: 40 });
const frame: fc.Arbitrary<Written> = fc.oneof(
  fc.record({ kind: fc.constant('intent' as const), attempt, text }, { noNullPrototype: true }),
  fc.record({ kind: fc.constant('entry' as const), attempt, text, seq: fc.maxSafeNat() }, { noNullPrototype: true }),
  fc.record({ kind: fc.constant('void' as const), attempt }, { noNullPrototype: true }),
);

function encode(frames: readonly Written[]): Buffer {
  const encoder = new FrameEncoder(0);
  for (const one of frames) {
    if (one.kind === 'intent') encoder.intent(one.attempt, one.text);
    if (one.kind === 'entry') encoder.entry(one.seq, one.attempt, one.text);
    if (one.kind === 'void') encoder.void(one.attempt);
  }
  return Buffer.from(encoder.take());
}

function decode(bytes: Buffer): { frames: Written[]; end: 'incomplete' | 'broken' } {
  const frames: Written[] = [];
  let at = 0;
  let seed = 0;
  for (;;) {
    const read = parseFrame({ bytes, start: at, end: bytes.length }, seed);
    if (typeof read === 'string') return { frames, end: read };
    if (read.kind === 'intent') {
      const { attempt: name, open } = parseIntent(read.payload);
      frames.push({ kind: 'intent', attempt: name, text: open });
    }
    if (read.kind === 'entry') {
      const { seq, attempt: name, body } = parseEntry(read.payload);
      frames.push({ kind: 'entry', attempt: name, text: body.toString(), seq });
    }
    if (read.kind === 'void') frames.push({ kind: 'void', attempt: parseVoid(read.payload) });
    at += read.bytes;
    seed = read.crc;
  }
}

test('frames read back as they were written', () => {
  fc.assert(
    fc.property(fc.array(frame, { maxLength: 20 }), (frames) => {
      assert.deepEqual(decode(encode(frames)), { frames, end: 'incomplete' });
    }),
  );
});

test('a text longer than the buffer makes the buffer grow', () => {
  const long = '€'.repeat(2_000_000);
  const frames: Written[] = [
    { kind: 'void', attempt: 'a' },
    { kind: 'intent', attempt: 'b', text: long },
  ];
  assert.deepEqual(decode(encode(frames)), { frames, end: 'incomplete' });
});

test('a missing, repeated or moved frame breaks the chain at its place', () => {
  const names = ['a', 'b', 'c', 'd'];
  const frames = names.map((name): Written => ({ kind: 'void', attempt: name }));
  const bytes = encode(frames);
  const size = bytes.length / frames.length;
  const [a, b, c, d] = names.map((_, index) => bytes.subarray(index * size, (index + 1) * size));
  assert.ok(a !== undefined && b !== undefined && c !== undefined && d !== undefined);
  const first = frames.slice(0, 1);
  assert.deepEqual(decode(Buffer.concat([a, c, d])), { frames: first, end: 'broken' });
  assert.deepEqual(decode(Buffer.concat([a, a, b])), { frames: first, end: 'broken' });
  assert.deepEqual(decode(Buffer.concat([a, c, b, d])), { frames: first, end: 'broken' });
});

test('zeros after the last frame are damage, not a frame', () => {
  assert.deepEqual(decode(Buffer.concat([encode([{ kind: 'void', attempt: 'a' }]), Buffer.alloc(64)])), {
    frames: [{ kind: 'void', attempt: 'a' }],
    end: 'broken',
  });
});
