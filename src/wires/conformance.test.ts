// Every wire, streamed and not, against recorded answers. A folder `answers/` in src/wires/<dialect> or src/providers/<name>
// holds them as the provider sent them: `<name>.json` a whole answer, `<name>.sse` a stream, others (`.txt`, `.bin`, or a
// JSON array with `"stream": true`) as they are. Its `expected.json` maps each file to what must be read in it:
//
//   { "chat.json": { "wire": "openai.chat", "id": "chatcmpl-1", "model": "gpt-4o", "meters": { "input": 9, "output_text": 2 } } }
//
// The other members (serviceTier, reportedCost, inconsistent, complete, failed, text, headers, request, quirks, …) are in
// recorded-answers.fixture.ts. Adding a file and its line adds all tests below.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { inputTokens, isTokenMeter, outputTokens, type Meter, type Meters, type Usage } from '#terms';
import { recordedAnswers, type Recorded } from './recorded-answers.fixture.ts';
import type { AnswerFacts } from './wire.ts';

const COST = { usd: '0.123456789', state: 'exact' };
const COMMENT = `: apportion-cost ${COST.usd} ${COST.state}\n\n`;
const COST_MEMBER = `,"cost":${COST.usd}`;

type Played = { readonly given: string; readonly facts: AnswerFacts; readonly finished: boolean };

function play({ wire, context }: Recorded, pieces: readonly Buffer[]): Played {
  const meter = wire.meterStream(context);
  const given: Buffer[] = [];
  for (const piece of pieces) {
    const shown = meter.push(piece);
    if (shown !== null) given.push(shown);
  }
  const facts = meter.facts();
  const finished = meter.finished();
  given.push(meter.closing(COST));
  return { given: Buffer.concat(given).toString('latin1'), facts, finished };
}

function readWhole({ wire, context }: Recorded, bytes: Buffer): AnswerFacts {
  return wire.readAnswer(bytes, context);
}

/** What the caller got, but for the cost, which is ours. */
function withoutCost(given: string): string {
  return given.replace(COMMENT, '').replace(COST_MEMBER, '');
}

/** A quantity of zero may be said or left out: it costs the same. */
function withoutZeros(meters: Meters | undefined): Record<string, number> | null {
  return meters === undefined
    ? null
    : Object.fromEntries(Object.entries(meters).filter(([, quantity]) => quantity !== 0));
}

function hasTokens(usage: Usage | null): boolean {
  return Object.entries(usage?.meters ?? {}).some(([meter, quantity]) => isTokenMeter(meter as Meter) && quantity > 0);
}

function eventsOf(bytes: Buffer): Buffer[] {
  return (bytes.toString('latin1').match(/[^]*?(?:\r?\n){2}|[^]+$/g) ?? []).map((event) =>
    Buffer.from(event, 'latin1'),
  );
}

/** Rewrites the JSON of a whole answer, or of each event of a stream. */
function rewrite({ bytes, stream }: Recorded, change: (value: unknown) => unknown): Buffer {
  const json = (text: string): string => JSON.stringify(change(JSON.parse(text)));
  const text = bytes.toString('utf8');
  if (!stream || !/^\s*(?:data|event|:)/.test(text)) return Buffer.from(json(text));
  return Buffer.from(
    text.replace(/^(data: ?)(\{.*\})/gm, (_line, head: string, payload: string) => head + json(payload)),
  );
}

function mapObjects(value: unknown, change: (object: Record<string, unknown>) => Record<string, unknown>): unknown {
  if (Array.isArray(value)) return value.map((item) => mapObjects(item, change));
  if (typeof value !== 'object' || value === null) return value;
  const mapped = Object.entries(value).map(([key, item]) => [key, mapObjects(item, change)] as const);
  return change(Object.fromEntries(mapped));
}

function replaceNumbers(value: unknown, instead: unknown): unknown {
  if (typeof value === 'number') return instead;
  if (Array.isArray(value)) return value.map((item) => replaceNumbers(item, instead));
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, replaceNumbers(item, instead)]));
}

function read(one: Recorded, bytes: Buffer): AnswerFacts {
  return one.stream ? play(one, [bytes]).facts : readWhole(one, bytes);
}

function isJson({ path, stream, bytes }: Recorded): boolean {
  return path.endsWith('.json') || (stream && /^\s*(?:data|event|:)/.test(bytes.toString('latin1', 0, 100)));
}

const answers = recordedAnswers();

for (const one of answers) {
  test(`${one.path}: what it says of itself is read`, () => {
    const { expected } = one;
    const { usage, ...facts } = read(one, one.bytes);
    const wanted = { ...expected };
    assert.deepEqual(facts, {
      id: wanted.id,
      model: wanted.model,
      usageComplete: wanted.complete ?? wanted.meters !== null,
      outputText: wanted.text,
      outputCharsBeyond: facts.outputCharsBeyond,
      failed: wanted.failed,
      ...(wanted.unfinished === undefined ? {} : { unfinished: wanted.unfinished }),
    });
    assert.deepEqual(withoutZeros(usage?.meters), withoutZeros(wanted.meters ?? undefined));
    assert.deepEqual(
      [usage?.serviceTier, usage?.geo, usage?.others, usage?.reportedCost, usage?.inconsistent],
      [wanted.serviceTier, wanted.geo, wanted.others, wanted.reportedCost, wanted.inconsistent],
    );
  });
}

for (const one of answers.filter(({ stream }) => !stream)) {
  test(`${one.path}: cut at any byte, nothing is read that could be billed as the whole`, () => {
    const end = one.bytes.toString('latin1').trimEnd().length;
    for (let cut = 0; cut < end; cut += 1) {
      const { usage } = readWhole(one, one.bytes.subarray(0, cut));
      assert.equal(hasTokens(usage), false, `cut at ${cut}`);
    }
  });
}

for (const one of answers.filter(({ stream }) => stream)) {
  const whole = play(one, [one.bytes]);

  test(`${one.path}: the caller gets what the provider sent, and the cost`, () => {
    assert.equal(withoutCost(whole.given), one.bytes.toString('latin1'));
  });

  test(`${one.path}: cut in two at every byte, it gives the same bytes and the same usage`, () => {
    for (let cut = 1; cut < one.bytes.length; cut += 1)
      assert.deepEqual(play(one, [one.bytes.subarray(0, cut), one.bytes.subarray(cut)]), whole, `cut at ${cut}`);
    assert.deepEqual(
      play(
        one,
        Array.from(one.bytes, (byte) => Buffer.from([byte])),
      ),
      whole,
    );
  });

  test(`${one.path}: broken off anywhere, what was sent is passed on and no more is counted than there was`, () => {
    const tokens = inputTokens(whole.facts.usage?.meters ?? {}) + outputTokens(whole.facts.usage?.meters ?? {});
    for (let end = 0; end < one.bytes.length; end += 1) {
      const part = play(one, [one.bytes.subarray(0, end)]);
      const counted = part.facts.usage?.meters ?? {};
      assert.equal(withoutCost(part.given), one.bytes.toString('latin1', 0, end), `broken off at ${end}`);
      assert.ok(inputTokens(counted) + outputTokens(counted) <= tokens, `broken off at ${end}`);
    }
  });

  test(`${one.path}: an event sent twice changes nothing`, () => {
    if (!whole.facts.usageComplete) return;
    const events = eventsOf(one.bytes);
    for (const at of events.keys()) {
      const twice = play(one, [Buffer.concat(events.toSpliced(at, 0, events[at] ?? Buffer.alloc(0)))]);
      assert.deepEqual(twice.facts.usage, whole.facts.usage, `event ${at}`);
    }
  });
}

for (const one of answers.filter(isJson)) {
  const { wire, expected } = one;

  test(`${one.path}: members nobody knows change nothing`, () => {
    const strange = rewrite(one, (value) =>
      mapObjects(value, (object) => ({ 'x-strange': { deep: [1, { tokens: 7 }] }, ...object, strange_tokens: 99 })),
    );
    const { usage, ...facts } = read(one, strange);
    const { usage: known, ...knownFacts } = read(one, one.bytes);
    assert.deepEqual({ ...usage, raw: '' }, { ...known, raw: '' });
    assert.deepEqual({ ...facts, outputText: '' }, { ...knownFacts, outputText: '' });
  });

  test(`${one.path}: without usage its tokens are unknown, not zero, and its text is kept`, () => {
    const silent = rewrite(one, (value) =>
      mapObjects(value, ({ [wire.names.usage]: _usage, ...object }) => ({ ...object })),
    );
    const facts = read(one, silent);
    assert.equal(hasTokens(facts.usage), false);
    const written =
      (expected.meters?.output_text ?? 0) > 0 && !expected.failed && !('image' in (expected.meters ?? {}));
    if (written && facts.usage === null) assert.notEqual(facts.outputText, '');
    if (facts.usage === null) assert.equal(facts.usageComplete, false);
  });

  for (const absurd of [-1, 1e300, '12', 0.5]) {
    test(`${one.path}: a usage of ${JSON.stringify(absurd)} is no usage, and is told`, () => {
      if (expected.meters === null || read(one, one.bytes).usage?.raw === '') return;
      if (absurd === 0.5 && expected.meters.audio_seconds !== undefined) return;
      const broken = rewrite(one, (value) =>
        mapObjects(value, (object) =>
          wire.names.usage in object
            ? { ...object, [wire.names.usage]: replaceNumbers(object[wire.names.usage], absurd) }
            : object,
        ),
      );
      const { usage } = read(one, broken);
      assert.deepEqual([hasTokens(usage), usage === null || usage.inconsistent === true], [false, true]);
    });
  }
}
