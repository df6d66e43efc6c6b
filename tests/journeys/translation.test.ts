import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { inputTokens, outputTokens } from '#terms';
import { ALL_PROVIDERS, makeClients, pico, planPieces, startWorld, valueFor, type World } from '#world';
import { CONVERSE_AI } from './converse/ai-sdk.ts';
import { converseAnthropic } from './converse/anthropic.ts';
import {
  FEATURES,
  reasons,
  SCHEMA,
  TOOL_SCHEMA,
  TOOLS,
  usesTools,
  type Converse,
  type Counted,
} from './converse/asked.ts';
import { converseGemini } from './converse/gemini.ts';
import { converseOpenAi } from './converse/openai.ts';
import { converseResponses } from './converse/responses.ts';
import { recorded, report, whenStored } from './record.ts';

const CLIENTS: Readonly<Record<string, Converse>> = {
  "OpenAI's client": converseOpenAi,
  "Anthropic's client": converseAnthropic,
  "Google's client": converseGemini,
  "OpenAI's client in Responses": converseResponses,
  'the AI SDK in OpenAI’s dialect': CONVERSE_AI.openai,
  'the AI SDK in Responses': CONVERSE_AI.responses,
  'the AI SDK in Anthropic’s dialect': CONVERSE_AI.anthropic,
  'the AI SDK in Gemini’s dialect': CONVERSE_AI.gemini,
};

const MODELS = ['gpt-5-mini', 'claude-sonnet-4-5', 'claude-opus-4-8', 'gemini-2.5-flash', 'gemini-3-pro-preview'];

describe('every client × every provider × {whole, stream} × every feature', () => {
  let world: World;
  const heard: Counted[] = [];

  before(async () => {
    world = await startWorld({ providers: ALL_PROVIDERS });
  });
  after(() => world.close());

  let seed = 1000;
  for (const [client, converse] of Object.entries(CLIENTS))
    for (const model of client.includes('Responses') ? MODELS.slice(1) : MODELS)
      for (const feature of FEATURES)
        for (const stream of [false, true])
          test(`${client}, ${model}, ${feature}, ${stream ? 'streamed' : 'whole'}`, async () => {
            seed += 1;
            const calls = usesTools(feature) ? ' calls=2' : '';
            const thinks = reasons(feature) ? ' completion_tokens=90 reasoning_tokens=50' : ' reasoning_tokens=0';
            const text = `What does it cost? seed=${seed}${calls}${thinks}`;
            const target = { url: world.gateway.url, key: world.gateway.adminKey };
            const got = await converse(target, { model, text, stream, feature });
            heard.push(...got.usages);

            const called = calls === '' ? [] : TOOLS.map((name) => ({ name, args: valueFor(TOOL_SCHEMA) }));
            assert.deepEqual(got.calls, called);
            if (feature === 'schema') assert.deepEqual(JSON.parse(got.text), valueFor(SCHEMA));
            // What comes after results has a seed of its own with some clients.
            else if (calls === '') assert.equal(got.text, planPieces({ seed }).join(''));
            else assert.notEqual(got.text, '');
            assert.equal(got.usages.length, calls === '' ? 1 : 2);
            if (reasons(feature) && got.thought !== null && !model.startsWith('gpt'))
              assert.match(got.thought, /What did it cost\?/);
          });

  test('likelihoods and several answers, where both have them', async () => {
    const { openai, gemini } = makeClients({ url: world.gateway.url, key: world.gateway.adminKey });
    const text = 'seed=77';
    const said = planPieces({ seed: 77 });
    const completion = await openai.chat.completions.create({
      model: 'gemini-2.5-flash',
      messages: [{ role: 'user', content: text }],
      n: 2,
      logprobs: true,
      top_logprobs: 1,
    });
    assert.equal(completion.choices.length, 2);
    for (const { message, logprobs } of completion.choices) {
      assert.equal(message.content, said.join(''));
      const likely = (logprobs?.content ?? []).map(({ token, logprob, top_logprobs: tops }) => [
        token,
        logprob,
        tops.length,
      ]);
      assert.deepEqual(
        likely,
        said.map((token) => [token, -0.25, 1]),
      );
    }
    const { candidates } = await gemini.models.generateContent({
      model: 'gpt-4o-mini',
      contents: text,
      config: { candidateCount: 2, responseLogprobs: true, logprobs: 1 },
    });
    const chosen = (candidates ?? []).map(({ logprobsResult }) => logprobsResult?.chosenCandidates?.length);
    assert.deepEqual(chosen, [said.length, said.length]);
  });

  test('C12: what is translated is one call, recorded once: as the clients count it, and as it was billed', async () => {
    const entries = recorded(world.gateway.dataDir);
    const byId = new Map(entries.map((entry) => [entry.upstreamId, entry]));
    for (const { id, input, output } of heard) {
      const entry = byId.get(id);
      assert.ok(entry !== undefined, `no entry has the id ${id}`);
      assert.deepEqual(
        { input, output, state: entry.state },
        { input: inputTokens(entry.meters), output: outputTokens(entry.meters), state: 'exact' },
      );
      assert.ok(entry.reserved === null || entry.cost === null || entry.cost <= entry.reserved);
    }
    const received = (await world.upstream.received()).filter(({ method }) => method === 'POST');
    assert.equal(entries.length, received.length);
    await whenStored(world.gateway);
    const { summary } = await report(world.gateway);
    const { total } = await world.upstream.bill();
    assert.equal(pico(summary.total_cost_exact), total);
    assert.equal(summary.unpriced_events, 0);
  });
});
