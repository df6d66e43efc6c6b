import assert from 'node:assert/strict';
import { test, type TestContext } from 'node:test';
import type { ProviderConfig } from '#config';
import { systemClock } from '#std';
import { anthropicMessages, openAiChat, openAiEmbeddings } from '#wires';
import { provider as configured } from './provider.fixture.ts';
import { Upstreams } from './upstreams.ts';

const TIMEOUTS = { connectMs: 1_000, firstByteMs: 1_000, idleMs: 1_000, totalMs: 1_000 };

const provider = (name: string, models: readonly string[] | null): ProviderConfig => configured(name, { models });

function open(t: TestContext, providers: readonly ProviderConfig[], sandboxSocket: string | null = null): Upstreams {
  const priced: Record<string, string[]> = { openai: ['gpt-4o', 'o3'], sandbox: ['sandbox-mini'] };
  const upstreams = new Upstreams({
    providers,
    clock: systemClock,
    sandboxSocket,
    pricedModels: (name) => priced[name] ?? [],
    timeouts: TIMEOUTS,
  });
  t.after(() => upstreams.close());
  return upstreams;
}

function chosen(upstreams: Upstreams, model: string): string | undefined {
  const choice = upstreams.choose(model, openAiChat);
  return choice === undefined ? undefined : `${choice.upstream.name} ${choice.model}`;
}

test('a bare name goes to the first provider that lists it, in the stated order', (t) => {
  const upstreams = open(t, [provider('local', ['gpt-4o']), provider('openai', null)]);
  assert.equal(chosen(upstreams, 'gpt-4o'), 'local gpt-4o');
  assert.equal(chosen(upstreams, 'o3'), 'openai o3');
});

test('a prefix names the provider, and the rest is the model as the provider knows it', (t) => {
  const upstreams = open(t, [provider('local', ['gpt-4o']), provider('openai', null)]);
  assert.equal(chosen(upstreams, 'openai/gpt-4o'), 'openai gpt-4o');
  assert.equal(chosen(upstreams, 'openai/ft:gpt-4o:acme/x'), 'openai ft:gpt-4o:acme/x');
  assert.equal(chosen(upstreams, 'local/o3'), undefined);
  assert.equal(chosen(upstreams, 'openai/'), undefined);
});

test('a listed name that has a slash itself is not taken apart', (t) => {
  const upstreams = open(t, [provider('openai', null), provider('local', ['openai/gpt-oss-20b'])]);
  assert.equal(chosen(upstreams, 'openai/gpt-oss-20b'), 'local openai/gpt-oss-20b');
});

test('a name nobody lists goes to the first provider that is not held to a list, as new models come every week', (t) => {
  const upstreams = open(t, [provider('local', ['gpt-4o']), provider('openai', null)]);
  assert.equal(chosen(upstreams, 'gpt-99'), 'openai gpt-99');
});

test('with the sandbox alone only its own models are served', (t) => {
  const upstreams = open(t, [], '/tmp/none.sock');
  assert.equal(chosen(upstreams, 'sandbox-mini'), 'sandbox sandbox-mini');
  assert.equal(chosen(upstreams, 'sandbox/sandbox-mini'), 'sandbox sandbox-mini');
  assert.equal(chosen(upstreams, 'gpt-4o'), undefined);
});

test('a name that two providers list is shown bare once, and with its prefix for the later one', (t) => {
  const upstreams = open(t, [provider('local', ['gpt-4o']), provider('openai', null)]);
  assert.deepEqual(
    upstreams.list().map(({ id }) => id),
    ['gpt-4o', 'openai/gpt-4o', 'o3'],
  );
});

test('a model that is spoken in another dialect only is reached by translation, where there is one', (t) => {
  const upstreams = open(t, [configured('claude', { dialects: ['anthropic'], models: ['claude-x'] })]);
  assert.equal(chosen(upstreams, 'claude-x'), 'claude claude-x');
  assert.equal(chosen(upstreams, 'claude/claude-x'), 'claude claude-x');
  assert.equal(upstreams.choose('claude-x', openAiChat)?.wire.far?.dialect, 'anthropic');
  assert.equal(upstreams.choose('claude-x', openAiEmbeddings), undefined);
  assert.deepEqual(upstreams.dialectsOf('claude-x'), ['anthropic']);
  assert.equal(upstreams.choose('claude-x', anthropicMessages)?.wire, anthropicMessages);
});

test('a provider that speaks the caller’s dialect comes before one that is translated for', (t) => {
  const upstreams = open(t, [
    configured('claude', { dialects: ['anthropic'], models: ['both'] }),
    configured('plain', { models: ['both'] }),
  ]);
  assert.equal(chosen(upstreams, 'both'), 'plain both');
});

test('what names a configured provider means that one, though a reseller’s price list has the same name', (t) => {
  const upstreams = new Upstreams({
    providers: [configured('openrouter'), configured('openai')],
    clock: systemClock,
    sandboxSocket: null,
    pricedModels: (name) => (name === 'openrouter' ? ['openai/gpt-4o'] : ['gpt-4o']),
    timeouts: TIMEOUTS,
  });
  t.after(() => upstreams.close());
  assert.equal(chosen(upstreams, 'openai/gpt-4o'), 'openai gpt-4o');
  assert.equal(chosen(upstreams, 'openrouter/openai/gpt-4o'), 'openrouter openai/gpt-4o');
});
