import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import type { Meters } from '#terms';
import { NO_QUIRKS, readUsage, type StreamMeter } from '#wires';
import { CALLERS } from './sides.ts';
import { answersOf, contextOf, PAIRS, type Pair } from './recorded.fixture.ts';

const COST = { usd: '0.25', state: 'exact' };

function shownBy(meter: StreamMeter, pieces: readonly Buffer[]): string {
  const shown = pieces.map((piece) => meter.push(piece)?.toString('utf8') ?? '');
  return [...shown, meter.closing(COST).toString('utf8')].join('');
}

for (const pair of PAIRS) {
  describe(pair.name, () => {
    for (const { name, bytes } of answersOf(pair.to.dialect, '.sse')) {
      test(`${name}: cut at any byte, the caller sees the same`, () => {
        const whole = shownBy(pair.wire.meterStream(contextOf(pair)), [bytes]);
        for (let at = 1; at < bytes.length; at += 1) {
          const pieces = [bytes.subarray(0, at), bytes.subarray(at)];
          assert.equal(shownBy(pair.wire.meterStream(contextOf(pair)), pieces), whole);
        }
        const single = Array.from(bytes, (byte) => Buffer.from([byte]));
        assert.equal(shownBy(pair.wire.meterStream(contextOf(pair)), single), whole);
      });

      test(`${name}: it is metered as on the provider's own wire`, () => {
        const ours = pair.wire.meterStream(contextOf(pair));
        const theirs = pair.to.meterStream(contextOf(pair));
        ours.push(bytes);
        theirs.push(bytes);
        assert.deepEqual(ours.facts(), theirs.facts());
        assert.equal(ours.finished(), theirs.finished());
      });
    }

    for (const { name, bytes } of answersOf(pair.to.dialect, '.json')) {
      test(`${name}: it is metered as on the provider's own wire, and shown in the caller's words`, () => {
        const context = contextOf(pair);
        assert.deepEqual(pair.wire.readAnswer(bytes, context), pair.to.readAnswer(bytes, context));
        const shown = shownWhole(pair, bytes);
        const read = pair.from.readAnswer(shown, context);
        const given = pair.to.readAnswer(bytes, context);
        assert.equal(read.failed, given.failed);
        if (given.failed) return;
        assert.deepEqual([read.id, read.model], [given.id, given.model]);
        // Anthropic's answers always count, if only nothing; where the others count nothing, their text can be seen.
        if (pair.from.dialect !== 'anthropic') assert.equal(read.outputText, given.outputText);
      });
    }
  });
}

function shownWhole(pair: Pair, bytes: Buffer): Buffer {
  const context = contextOf(pair);
  return pair.wire.far?.words?.showAnswer({ bytes, status: 200, context }) ?? Buffer.alloc(0);
}

const count = fc.nat(1_000_000);

/** What a call of text, images and thoughts is billed for. */
const METERS = fc.record(
  {
    input: count,
    input_tool: count,
    cache_read: count,
    cache_write: count,
    cache_write_5m: count,
    cache_write_1h: count,
    output_text: count,
    output_reasoning: count,
  },
  { requiredKeys: ['input', 'output_text'] },
);

for (const [name, { side }] of CALLERS) {
  test(`${name}: usage that is shown adds up to the usage that is billed`, () => {
    fc.assert(
      fc.property(METERS, (meters) => {
        const shown: unknown = JSON.parse(
          JSON.stringify(
            side.writeAnswer(
              { id: 'a', model: 'm', choices: [{ parts: [], reason: 'stop', stop: null, logprobs: [] }] },
              { usage: { meters, origin: 'reported', raw: '' }, context: contextOf(anyPair()) },
            ),
          ),
        );
        const usage = readUsage({ wire: name, quirks: NO_QUIRKS, usage: usageIn(shown) });
        assert.ok(usage !== null && usage.inconsistent !== true);
        assert.deepEqual(sums(usage.meters), sums(meters));
      }),
    );
  });
}

function anyPair(): Pair {
  const [pair] = PAIRS;
  if (pair === undefined) throw new Error('nothing is translated');
  return pair;
}

function usageIn(answer: unknown): unknown {
  if (typeof answer !== 'object' || answer === null) return undefined;
  if ('usage' in answer) return answer.usage;
  return 'usageMetadata' in answer ? answer.usageMetadata : undefined;
}

/** All that goes in, of it what was cached; all that comes out, of it what was thought. */
function sums(meters: Meters): object {
  const of = (...names: readonly (keyof Meters)[]): number => names.reduce((all, one) => all + (meters[one] ?? 0), 0);
  const written = of('cache_write', 'cache_write_5m', 'cache_write_1h');
  return {
    input: of('input', 'input_tool', 'cache_read') + written,
    cached: of('cache_read'),
    output: of('output_text', 'output_reasoning'),
    thought: of('output_reasoning'),
  };
}

test('calls that a server streams without an index are told apart by their ids', () => {
  const pair = PAIRS.find(({ name }) => name === 'anthropic → openai') ?? anyPair();
  const chunk = (delta: object, finish: string | null = null): Buffer =>
    Buffer.from(
      `data: ${JSON.stringify({ id: 'a', model: 'm', choices: [{ index: 0, delta, finish_reason: finish }] })}\n\n`,
    );
  const call = (id: string, args: string) => ({
    tool_calls: [{ ...(id === '' ? {} : { id, type: 'function' }), function: { name: 'f', arguments: args } }],
  });
  const shown = shownBy(pair.wire.meterStream(contextOf(pair)), [
    chunk(call('one', '{"a"')),
    chunk(call('', ':1}')),
    chunk(call('two', '{}')),
    chunk({}, 'tool_calls'),
    Buffer.from('data: [DONE]\n\n'),
  ]);
  const said = [...shown.matchAll(/"(?:id":"(one|two)|partial_json":"(.*?))"\}/g)].map(([, id, json]) => id ?? json);
  assert.deepEqual(said, ['{\\"a\\"', ':1}', '{}']);
  assert.deepEqual(
    [...shown.matchAll(/"type":"tool_use","id":"(\w+)"/g)].map(([, id]) => id),
    ['one', 'two'],
  );
});

/** An answer's usage as each provider counts it. */
const USAGES: Readonly<Record<string, fc.Arbitrary<object>>> = {
  openai: fc.record({ i: count, cached: count, o: count, thought: count }).map(({ i, cached, o, thought }) => ({
    usage: {
      prompt_tokens: i + cached,
      completion_tokens: o + thought,
      total_tokens: i + cached + o + thought,
      prompt_tokens_details: { cached_tokens: cached },
      completion_tokens_details: { reasoning_tokens: thought },
    },
    choices: [],
  })),
  anthropic: fc.record({ i: count, read: count, written: count, o: count }).map(({ i, read, written, o }) => ({
    usage: {
      input_tokens: i,
      cache_read_input_tokens: read,
      cache_creation_input_tokens: written,
      output_tokens: o,
      service_tier: 'standard',
    },
    content: [],
  })),
  gemini: fc.record({ i: count, cached: count, o: count, thought: count }).map(({ i, cached, o, thought }) => ({
    usageMetadata: {
      promptTokenCount: i + cached,
      cachedContentTokenCount: cached,
      candidatesTokenCount: o,
      thoughtsTokenCount: thought,
      totalTokenCount: i + cached + o + thought,
    },
    candidates: [],
  })),
};

for (const pair of PAIRS)
  test(`${pair.name}: whatever is used, it is metered, and so priced, as on the provider's own wire`, () => {
    const usages = USAGES[pair.to.dialect];
    assert.ok(usages !== undefined);
    fc.assert(
      fc.property(usages, (answer) => {
        const bytes = Buffer.from(JSON.stringify({ id: 'a', model: 'm', ...answer }));
        const context = contextOf(pair);
        const native = pair.to.readAnswer(bytes, context);
        assert.deepEqual(pair.wire.readAnswer(bytes, context), native);
        const shown = pair.from.readAnswer(shownWhole(pair, bytes), context);
        assert.ok(native.usage !== null && shown.usage !== null);
        assert.deepEqual(sums(shown.usage.meters), sums(native.usage.meters));
      }),
    );
  });

test('each of the three dialects is translated into both others', () => {
  assert.equal(PAIRS.length, 6);
});
