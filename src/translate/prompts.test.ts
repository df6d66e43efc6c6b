import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { NO_TARGET } from '#wires';
import { anthropicCaller, anthropicProvider } from './anthropic/index.ts';
import { geminiCaller, geminiProvider } from './gemini/index.ts';
import { openAiCaller, openAiProvider } from './openai/index.ts';
import type { MediaPart, Part, Prompt, ReasoningPart, TextPart, Tool, Turn } from './prompt.ts';
import { bodyOf } from './recorded.fixture.ts';
import type { CallerSide, ProviderSide } from './side.ts';

type Said = {
  readonly caller: CallerSide;
  readonly provider: ProviderSide;
  readonly model: string;
  readonly by: 'anthropic' | 'gemini' | 'openai';
};

const DIALECTS: readonly Said[] = [
  { caller: openAiCaller, provider: openAiProvider, model: 'gpt-5', by: 'openai' },
  { caller: anthropicCaller, provider: anthropicProvider, model: 'claude-sonnet-4-6', by: 'anthropic' },
  { caller: geminiCaller, provider: geminiProvider, model: 'gemini-2.5-flash', by: 'gemini' },
];

const placed = { at: '', cache: null };
const word = fc.string({ minLength: 1, maxLength: 12, unit: 'grapheme' });
const name = fc.stringMatching(/^[a-z][a-z_]{0,9}$/);
const base64 = fc.uint8Array({ minLength: 1, maxLength: 9 }).map((bytes) => Buffer.from(bytes).toString('base64'));

const text: fc.Arbitrary<TextPart> = word.map((said) => ({ kind: 'text', text: said, ...placed }));

const media: fc.Arbitrary<MediaPart> = fc
  .tuple(fc.constantFrom('image/png', 'image/jpeg', 'application/pdf'), base64)
  .map(([type, data]) => ({
    kind: 'media',
    medium: type.startsWith('image') ? 'image' : 'document',
    type,
    source: { from: 'data', base64: data },
    name: '',
    ...placed,
  }));

const args = fc.dictionary(name, fc.oneof(word, fc.integer(), fc.boolean(), fc.constant(null)), { maxKeys: 3 });

type Round = { readonly asked: readonly Part[]; readonly said: TextPart; readonly calls: readonly Call[] };

type Call = { readonly name: string; readonly args: object; readonly result: string; readonly signed: boolean };

const call: fc.Arbitrary<Call> = fc.record({
  name: fc.constantFrom('look_up', 'add'),
  args,
  result: word.filter((said) => !said.startsWith('{')),
  signed: fc.boolean(),
});

const round: fc.Arbitrary<Round> = fc.record({
  asked: fc.array(fc.oneof(text, media), { minLength: 1, maxLength: 3 }),
  said: text,
  calls: fc.array(call, { maxLength: 3 }),
});

/** Turns as every dialect has them: the user, the model, results of its calls, the model. */
function turnsOf(rounds: readonly Round[], by: Said['by']): Turn[] {
  let made = 0;
  return rounds.flatMap(({ asked, said, calls }) => {
    const ids = calls.map(() => `call_${(made += 1)}`);
    const results = calls.map((one, at): Part => ({
      kind: 'tool_result',
      id: ids[at] ?? '',
      name: one.name,
      content: [{ kind: 'text', text: one.result, ...placed }],
      failed: false,
      ...placed,
    }));
    const asks = calls.map((one, at): Part => ({
      kind: 'tool_call',
      id: ids[at] ?? '',
      name: one.name,
      args: JSON.stringify(one.args),
      signature: one.signed && by === 'gemini' ? { by, value: 'c2ln' } : null,
      ...placed,
    }));
    const answered: Turn[] = [
      { role: 'user', parts: results },
      { role: 'assistant', parts: [said] },
    ];
    return [
      { role: 'user', parts: asked },
      { role: 'assistant', parts: [...thoughtsFor(by), said, ...asks] },
      ...(calls.length === 0 ? [] : answered),
    ] satisfies Turn[];
  });
}

function thoughtsFor(by: Said['by']): ReasoningPart[] {
  if (by !== 'anthropic') return [];
  return [{ kind: 'reasoning', text: 'hm', signature: { by, value: 'c2ln' }, opaque: false, ...placed }];
}

const tool = (of: string): Tool => ({
  name: of,
  description: `Does ${of}.`,
  schema: { type: 'object', properties: { a: { type: 'string' } } },
  strict: null,
  at: '',
  cache: null,
});

function promptFor(by: Said['by']): fc.Arbitrary<Prompt> {
  const orNull = <T>(value: fc.Arbitrary<T>): fc.Arbitrary<T | null> => fc.option(value, { nil: null });
  const notAnthropic = <T>(value: fc.Arbitrary<T>): fc.Arbitrary<T | null> =>
    by === 'anthropic' ? fc.constant(null) : orNull(value);
  return fc.record({
    system: fc.array(text, { maxLength: 2 }),
    turns: fc.array(round, { minLength: 1, maxLength: 3 }).map((rounds) => turnsOf(rounds, by)),
    tools: fc.constant([tool('look_up'), tool('add')]),
    toolChoice: fc.constantFrom(
      null,
      { mode: 'auto' as const, only: [] },
      { mode: 'none' as const, only: [] },
      { mode: 'required' as const, only: [] },
      { mode: 'required' as const, only: ['add'] },
    ),
    parallelTools: fc.constant(null),
    output: fc.constantFrom(null, {
      kind: 'schema' as const,
      name: 'answer',
      description: '',
      schema: { type: 'object', properties: {}, required: [], additionalProperties: false },
      strict: by === 'openai' ? true : null,
    }),
    stream: fc.boolean(),
    maxOutputTokens: by === 'anthropic' ? fc.integer({ min: 1, max: 9000 }) : orNull(fc.integer({ min: 1, max: 9000 })),
    choices: by === 'anthropic' ? fc.constant(1) : fc.integer({ min: 1, max: 3 }),
    temperature: orNull(fc.constantFrom(0, 0.25, 0.5)),
    topP: orNull(fc.constantFrom(0.5, 0.9)),
    topK: by === 'openai' ? fc.constant(null) : orNull(fc.integer({ min: 1, max: 40 })),
    stop: fc.array(word, { maxLength: 2 }),
    seed: notAnthropic(fc.integer()),
    frequencyPenalty: notAnthropic(fc.constantFrom(0.5, -1)),
    presencePenalty: notAnthropic(fc.constantFrom(0.5, -1)),
    logprobs: notAnthropic(fc.constantFrom({ others: 0 }, { others: 2 })),
    reasoning: fc.constant(null),
    verbosity: by === 'openai' ? orNull(fc.constantFrom('low' as const, 'high' as const)) : fc.constant(null),
    serviceTier:
      by === 'anthropic'
        ? orNull(fc.constant('default' as const))
        : orNull(fc.constantFrom('default' as const, 'flex' as const, 'priority' as const)),
    user: by === 'gemini' ? fc.constant(null) : orNull(word),
    names: fc.constant(NAMES),
  });
}

const NAMES: Prompt['names'] = JSON.parse('{}');

/** Where things stand, and what they are called, is the caller's. */
function content(prompt: Prompt): unknown {
  return JSON.parse(
    JSON.stringify(prompt, (key, value: unknown) => (key === 'at' || key === 'names' ? undefined : value)),
  );
}

/** OpenAI takes no file without a name. */
function named(prompt: Prompt): Prompt {
  return JSON.parse(JSON.stringify(prompt).replaceAll(/("application\/pdf".*?"name":")"/g, '$1document.pdf"'));
}

for (const { caller, provider, model, by } of DIALECTS) {
  test(`${by}: a prompt that is written and read again is the same`, () => {
    fc.assert(
      fc.property(promptFor(by), (given) => {
        const prompt = by === 'openai' ? named(given) : given;
        const target = {
          ...NO_TARGET,
          action: provider.action(prompt),
          query: prompt.stream ? 'alt=sse' : '',
        };
        const read = caller.readPrompt(bodyOf(provider.writePrompt(prompt, model), target));
        assert.deepEqual(content(read), content(prompt));
      }),
      { numRuns: 200 },
    );
  });
}
