import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { LineSplitter } from './line-splitter.ts';

function linesOf(chunks: readonly Buffer[]): string[] {
  const lines: string[] = [];
  const splitter = new LineSplitter((line) => lines.push(line.toString()));
  for (const chunk of chunks) splitter.push(chunk);
  splitter.end();
  return lines;
}

test('bytes cut anywhere give the same lines', () => {
  const lines = fc.array(
    fc.string({ maxLength: 20 }).map((text) => text.replaceAll('\n', ' ')),
    { maxLength: 8 },
  );
  fc.assert(
    fc.property(lines, fc.array(fc.nat({ max: 200 })), fc.constantFrom('', '\n'), (texts, cuts, end) => {
      const whole = Buffer.from(texts.join('\n') + end);
      const places = [0, ...cuts.filter((at) => at < whole.length).toSorted((a, b) => a - b), whole.length];
      const chunks = places.slice(1).map((to, index) => whole.subarray(places[index], to));
      assert.deepEqual(
        linesOf(chunks),
        texts.filter((text) => text !== ''),
      );
    }),
  );
});

test('what a chunk is overwritten with later does not change a line that was not whole', () => {
  const chunk = Buffer.from('first\nsec');
  const lines: string[] = [];
  const splitter = new LineSplitter((line) => lines.push(line.toString()));
  splitter.push(chunk);
  chunk.fill(0);
  splitter.push(Buffer.from('ond\n'));
  assert.deepEqual(lines, ['first', 'second']);
});
