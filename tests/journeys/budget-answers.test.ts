import assert from 'node:assert/strict';
import Anthropic from '@anthropic-ai/sdk';
import OpenAI from 'openai';
import { after, before, describe, test } from 'node:test';
import { ALL_PROVIDERS, makeClients, picoText, startWorld, until, type World } from '#world';
import { send, type Answered, type Sent } from './attributed.ts';
import { recorded } from './record.ts';
import { clearRules, putBudget, putLimit, standingOf } from './rules.ts';

const OPENAI_CHAT = { model: 'gpt-4o-mini', messages: [{ role: 'user' as const, content: 'seed=1' }] };
const CHAT = { ...OPENAI_CHAT, max_completion_tokens: 400 };
const MESSAGE = {
  model: 'claude-haiku-4-5',
  messages: [{ role: 'user' as const, content: 'seed=1' }],
  max_tokens: 400,
};
const GENERATE = '/v1beta/models/gemini-2.5-flash:generateContent';
const CONTENT = { contents: [{ parts: [{ text: 'seed=1' }] }], generationConfig: { maxOutputTokens: 400 } };
const ATTEMPTS_MS = 60_000;

describe('what callers are told of budgets and limits', () => {
  let world: World;

  before(async () => {
    world = await startWorld({
      providers: ALL_PROVIDERS,
      config: () => ({ models: { cheap: 'openai/gpt-4o-mini' } }),
    });
  });
  after(() => world.close());

  const call = (sent: Sent) => send(world.gateway, sent);
  const entryOf = ({ callId }: Answered) =>
    recorded(world.gateway.dataDir).find((entry) => entry.callId === callId) ?? assert.fail(callId);
  const lastSent = async () => JSON.parse((await world.upstream.received()).at(-1)?.body ?? '{}');
  const sdk = () => ({ url: world.gateway.url, key: world.gateway.adminKey });

  async function refusals(by: string): Promise<number> {
    const page = await (await fetch(`${world.gateway.url}/metrics`)).text();
    return Number(new RegExp(`^apportion_refused_calls_total\\{by="${by}"\\} (\\d+)$`, 'm').exec(page)?.[1] ?? 0);
  }

  test('a refusal is an error of the caller’s own SDK, which does not try again', async () => {
    await clearRules(world.gateway);
    await putBudget(world.gateway, { id: 'nothing', limit_usd: '0' });
    const known = { entries: recorded(world.gateway.dataDir).length, refused: await refusals('budget') };
    const { url, key } = sdk();
    const openai = new OpenAI({ apiKey: key, baseURL: `${url}/v1`, maxRetries: 3 });
    const fromOpenai: unknown = await openai.chat.completions.create(CHAT).catch((error: unknown) => error);
    assert.ok(fromOpenai instanceof OpenAI.APIError);
    assert.deepEqual(
      [fromOpenai.status, fromOpenai.code, fromOpenai.type],
      [402, 'budget_exceeded', 'budget_exceeded'],
    );
    assert.partialDeepStrictEqual(fromOpenai.error, {
      budget: { budget: 'nothing', scope: 'all calls', reason: 'exceeded', spent: '0', limit: '0', resets_at: null },
    });
    assert.match(fromOpenai.message, /Budget "nothing" \(all calls\) is exceeded/);
    const anthropic = new Anthropic({ apiKey: key, baseURL: url, maxRetries: 3 });
    const fromAnthropic: unknown = await anthropic.messages.create(MESSAGE).catch((error: unknown) => error);
    assert.ok(fromAnthropic instanceof Anthropic.APIError);
    assert.equal(fromAnthropic.status, 402);
    const told = { type: 'billing_error', code: 'budget_exceeded', budget: { budget: 'nothing' } };
    assert.partialDeepStrictEqual(fromAnthropic.error, { type: 'error', error: told });
    const { gemini } = makeClients(sdk());
    const asked = { model: 'gemini-2.5-flash', contents: 'seed=1' };
    await assert.rejects(gemini.models.generateContent(asked), { status: 402 });
    const passed = await call({ path: '/v1/batches', body: { input_file_id: 'file-1' } });
    assert.deepEqual([passed.status, JSON.parse(passed.text).error.budget.reason], [402, 'unpriced']);
    const streamed = await call({ body: { ...CHAT, stream: true } });
    assert.equal(streamed.status, 402);
    // Each was refused once, and none of them is in the ledger.
    assert.equal(await refusals('budget'), known.refused + 5);
    assert.equal(recorded(world.gateway.dataDir).length, known.entries);
    // What costs nothing passes.
    const { max_tokens: _limit, ...counted } = MESSAGE;
    assert.equal((await call({ path: '/v1/messages/count_tokens', body: counted })).status, 200);
  });

  test('a strict budget says why it cannot admit: without a bound, without a price', async () => {
    await clearRules(world.gateway);
    await putBudget(world.gateway, { id: 'rich', limit_usd: '1000' });
    const image = { type: 'image_url', image_url: { url: 'https://example.com/a.png' } };
    const unbounded = await call({ body: { ...CHAT, messages: [{ role: 'user', content: [image] }] } });
    const unpriced = await call({ body: { ...CHAT, model: 'openai/model-without-price' } });
    const reasons = [unbounded, unpriced].map(({ status, text }) => [status, JSON.parse(text).error.budget.reason]);
    assert.deepEqual(reasons, [
      [402, 'unbounded'],
      [402, 'unpriced'],
    ]);
  });

  for (const [name, sent, limitOf] of [
    ['chat', { body: CHAT }, (body: typeof CHAT) => body.max_completion_tokens],
    ['chat without a limit', { body: OPENAI_CHAT }, (body: typeof CHAT) => body.max_completion_tokens],
    ['a stream', { body: { ...CHAT, stream: true } }, (body: typeof CHAT) => body.max_completion_tokens],
    [
      'responses',
      { path: '/v1/responses', body: { model: 'gpt-4o-mini', input: 'seed=1', max_output_tokens: 400 } },
      (body: { max_output_tokens: number }) => body.max_output_tokens,
    ],
    ['messages', { path: '/v1/messages', body: MESSAGE }, (body: typeof MESSAGE) => body.max_tokens],
    [
      'generateContent',
      { path: GENERATE, body: CONTENT },
      (body: typeof CONTENT) => body.generationConfig.maxOutputTokens,
    ],
  ] as const) {
    test(`the output of ${name} is limited to what a strict budget has left, and the answer says so`, async () => {
      await clearRules(world.gateway);
      const whole = entryOf(await call(sent)).reserved ?? assert.fail();
      // The half that is left pays for the input and a part of the output.
      const room = name === 'chat without a limit' ? whole / 40n : (whole * 7n) / 10n;
      await putBudget(world.gateway, {
        id: 'half',
        window: { kind: 'fixed', length: '36500d' },
        limit_usd: picoText(room + totalOf()),
      });
      const answer = await call(sent);
      assert.equal(answer.status, 200, answer.text);
      const tokens = Number(answer.headers.get('x-apportion-clamped'));
      assert.equal(limitOf(await lastSent()), tokens);
      const { reserved } = entryOf(answer);
      assert.ok(tokens >= 16 && reserved !== null && reserved <= room, `${tokens} tokens, ${reserved} of ${room}`);
      // One token more would not have fitted.
      const each = (whole - (reserved ?? 0n)) / BigInt(Math.max(1, (name.includes('without') ? 16_384 : 400) - tokens));
      assert.ok(reserved + each * 2n > room, `${reserved} and ${each} a token are less than ${room}`);
    });
  }

  const totalOf = () => recorded(world.gateway.dataDir).reduce((sum, { cost }) => sum + (cost ?? 0n), 0n);

  test('a budget may ask for a cheaper model, warn, or only look on', async () => {
    await clearRules(world.gateway);
    const dear = { ...CHAT, model: 'gpt-4o' };
    const scope = { 'tags.feature': 'chat' };
    const headers = { 'x-apportion-tags': 'feature=chat' };
    await putBudget(world.gateway, {
      id: 'frugal',
      scope: { ...scope, model: 'gpt-4o' },
      limit_usd: '0',
      mode: 'standard',
      action: { downgrade_to: 'cheap' },
    });
    await putBudget(world.gateway, { id: 'warns', scope, limit_usd: '0', mode: 'standard', action: 'warn' });
    await putBudget(world.gateway, { id: 'looks', scope, limit_usd: '0', mode: 'observe' });
    const answer = await call({ body: dear, headers });
    assert.equal(answer.status, 200, answer.text);
    assert.equal(answer.headers.get('x-apportion-downgraded'), 'gpt-4o');
    const warning = answer.headers.get('x-apportion-budget-warning') ?? '';
    assert.match(warning, /Budget "warns" \(feature=chat\) is exceeded/);
    assert.match(warning, /Budget "looks" \(feature=chat\) is exceeded/);
    const { model, route, attempt } = entryOf(answer);
    assert.deepEqual([model, route, attempt], ['gpt-4o-mini', 'cheap', 1]);
    assert.equal((await lastSent()).model, 'gpt-4o-mini');
  });

  test('a rate limit answers 429 with its figures, and the SDK waits once', async () => {
    await clearRules(world.gateway);
    await putLimit(world.gateway, { id: 'slow', measure: 'requests', amount: 1, per: 'second', burst: 1 });
    const { url, key } = sdk();
    const openai = new OpenAI({ apiKey: key, baseURL: `${url}/v1`, maxRetries: 3 });
    // On a slow machine a second may pass between two calls: until one is refused.
    await until('a call to be refused once', ATTEMPTS_MS, async () => {
      const known = await refusals('limit');
      await Promise.all([openai.chat.completions.create(CHAT), openai.chat.completions.create(CHAT)]);
      return (await refusals('limit')) > known ? true : undefined;
    });
    await clearRules(world.gateway);
    await putLimit(world.gateway, { id: 'spent', measure: 'requests', amount: 1, per: 'month' });
    const first = await call({ body: CHAT });
    assert.deepEqual(
      [
        first.status,
        first.headers.get('x-ratelimit-limit-requests'),
        first.headers.get('x-ratelimit-remaining-requests'),
      ],
      [200, '1', '0'],
    );
    const second = await call({ body: CHAT });
    const { error } = JSON.parse(second.text);
    assert.deepEqual([second.status, error.code, error.limit.limit], [429, 'rate_limited', 'spent']);
    assert.equal(second.headers.get('x-ratelimit-remaining-requests'), '0');
    assert.equal(second.headers.get('retry-after'), error.limit.retry_after);
  });

  test('tokens are settled to what they were, and a place among parallel calls is free again however a call ends', async () => {
    await clearRules(world.gateway);
    await putLimit(world.gateway, { id: 'tokens', measure: 'tokens', amount: 1_000_000, per: 'month' });
    await putLimit(world.gateway, { id: 'one', measure: 'parallel', amount: 1 });
    const first = await call({ body: CHAT });
    const used = JSON.parse(first.text).usage.total_tokens;
    await world.upstream.script({ fault: 'reset_after_headers' }, 1);
    assert.equal((await call({ body: CHAT })).status, 502);
    await world.upstream.script({ error: 400 }, 1);
    assert.equal((await call({ body: CHAT })).status, 400);
    const left = new AbortController();
    const leaving = fetch(`${world.gateway.url}/v1/chat/completions`, {
      method: 'POST',
      signal: left.signal,
      headers: { authorization: `Bearer ${world.gateway.adminKey}`, 'content-type': 'application/json' },
      body: JSON.stringify({ ...CHAT, stream: true, messages: [{ role: 'user', content: 'seed=2 chunk_delay=50' }] }),
    });
    await (await leaving).body?.getReader().read();
    left.abort();
    const last = await until('the place to be free', ATTEMPTS_MS, async () => {
      const answer = await call({ body: { ...OPENAI_CHAT, max_completion_tokens: 1 } });
      return answer.status === 200 ? answer : undefined;
    });
    const remaining = Number(last.headers.get('x-ratelimit-remaining-tokens'));
    assert.ok(remaining <= 1_000_000 - used, `${remaining} are left after ${used}`);
  });

  test('each attempt of a call is decided anew, and nothing stays held', async () => {
    await clearRules(world.gateway);
    await putBudget(world.gateway, { id: 'all', limit_usd: '5' });
    await world.upstream.script({ error: 503 }, 1);
    assert.equal((await call({ body: { ...CHAT, model: 'cheap' } })).status, 200);
    await world.upstream.script({ fault: 'cut_mid_stream' }, 1);
    await call({ body: { ...CHAT, stream: true } }).catch(() => undefined);
    await until('all to be settled', ATTEMPTS_MS, async () =>
      (await standingOf(world.gateway, 'all')).reserved === 0n ? true : undefined,
    );
    const { spent } = await standingOf(world.gateway, 'all');
    assert.equal(spent, totalOf());
    assert.ok(spent > 0n);
  });
});
