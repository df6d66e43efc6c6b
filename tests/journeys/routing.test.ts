import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { makeClients, startWorld, until, type Upstream, type World } from '#world';
import { send, type Sent } from './attributed.ts';
import { makeKey, recorded } from './record.ts';
import { ask, clearRules, putBudget, putLimit, standingOf } from './rules.ts';

const CHAT = { messages: [{ role: 'user', content: 'Hello!' }], max_completion_tokens: 50 };

const priced = (upstream: Upstream) => ({
  wire: 'openai',
  base_url: upstream.baseUrl,
  api_key: upstream.apiKey,
  price_as: 'openai',
});

/** As LiteLLM's page of tag routing has it, in JSON. */
const modelList = (a: Upstream, b: Upstream, c: Upstream) => {
  const at = ({ baseUrl, apiKey }: Upstream) => ({ api_base: baseUrl, api_key: apiKey });
  return [
    {
      model_name: 'gpt-4',
      litellm_params: { model: 'openai/gpt-4o-mini', ...at(a), tags: ['free'] },
      model_info: { id: 'free-model' },
    },
    {
      model_name: 'gpt-4',
      litellm_params: { model: 'openai/gpt-4o', ...at(b), tags: ['paid'] },
      model_info: { id: 'paid-model' },
    },
    {
      model_name: 'gpt-4',
      litellm_params: { model: 'openai/gpt-4o', ...at(c), tags: ['default'] },
      model_info: { id: 'default-model' },
    },
    {
      model_name: 'fake-openai-endpoint',
      litellm_params: { model: 'openai/gpt-4o', ...at(a), tags: ['teamA'] },
      model_info: { id: 'team-a-model' },
    },
    {
      model_name: 'fake-openai-endpoint',
      litellm_params: { model: 'openai/gpt-4o-mini', ...at(b), tags: ['teamB'] },
      model_info: { id: 'team-b-model' },
    },
    {
      model_name: 'fake-openai-endpoint',
      litellm_params: { model: 'openai/gpt-4o', ...at(c), tags: ['default'] },
      model_info: { id: 'default-model' },
    },
  ];
};

const MODELS = {
  tiers: {
    deployments: [
      { model: 'a/gpt-4o-mini', tags: ['free'] },
      { model: 'b/gpt-4o', tags: ['paid'] },
    ],
  },
  spread: {
    deployments: [{ model: 'a/gpt-4o-mini' }, { model: 'b/gpt-4o-mini' }],
    strategy: 'ordered',
    fallbacks: ['c/o3'],
  },
  cheap: { deployments: [{ model: 'a/gpt-4o' }, { model: 'b/gpt-4o-mini' }, { model: 'c/o3' }], strategy: 'cheapest' },
  dear: { deployments: [{ model: 'a/gpt-4o' }, { model: 'b/gpt-4o-mini' }], strategy: 'ordered', fallbacks: ['c/o3'] },
  held: {
    deployments: [
      { model: 'a/o3', limits: { requests_per_minute: 1 }, id: 'held-one' },
      { model: 'b/o3', limits: { parallel: 50 } },
    ],
    strategy: 'ordered',
  },
  failing: { deployments: [{ model: 'a/gpt-4o', id: 'fails' }, { model: 'b/gpt-4o' }], strategy: 'ordered' },
  tight: { deployments: [{ model: 'a/gpt-4o-mini', id: 'tight', limits: { requests_per_minute: 1, parallel: 1 } }] },
  warm: { deployments: [{ model: 'a/gpt-4o-mini' }, { model: 'b/gpt-4o-mini' }], sticky: true },
  mixed: { deployments: [{ model: 'claude/claude-haiku-4-5' }, { model: 'b/gpt-4o' }], strategy: 'ordered' },
};

describe('where calls go', () => {
  let world: World;

  before(async () => {
    world = await startWorld({
      count: 3,
      providers: [],
      config: (a, b = a, c = a) => ({
        providers: {
          a: priced(a),
          b: priced(b),
          c: priced(c),
          claude: { preset: 'anthropic', base_url: a.origin, api_key: a.apiKey },
        },
        models: MODELS,
        model_list: modelList(a, b, c),
        router_settings: { enable_tag_filtering: true },
        retries: { max_attempts: 3, backoff_ms: 10 },
        cooldown: { failures: 3, for_ms: 1_000 },
      }),
    });
  });
  after(() => world.close());

  /** Through OpenAI's own client; what it raises is the test's to judge. */
  async function chat(fields: object, given: { key?: string; headers?: Record<string, string> } = {}) {
    const { openai } = makeClients({ url: world.gateway.url, key: given.key ?? world.gateway.adminKey });
    const response = await openai
      .post('/chat/completions', { body: { ...CHAT, ...fields }, headers: given.headers ?? {} })
      .asResponse();
    await response.text();
    return response.headers.get('x-litellm-model-id');
  }

  async function explain(sent: Sent): Promise<Explained> {
    const answer = await send(world.gateway, { path: '/v1/route/explain', ...sent });
    assert.equal(answer.status, 200, answer.text);
    const explained: Explained = JSON.parse(answer.text);
    return explained;
  }

  test('LiteLLM’s free and paid tiers: the tag of the body chooses, untagged calls go to the default', async () => {
    assert.equal(await chat({ model: 'gpt-4', tags: ['free'] }), 'free-model');
    assert.equal(await chat({ model: 'gpt-4', tags: ['paid'] }), 'paid-model');
    assert.equal(await chat({ model: 'gpt-4' }), 'default-model');
    assert.equal(await chat({ model: 'gpt-4', metadata: { tags: ['paid'] } }), 'paid-model');
    const [entry] = recorded(world.gateway.dataDir).slice(-1);
    assert.deepEqual([entry?.route, entry?.provider, entry?.model], ['gpt-4', 'openai-2', 'gpt-4o']);
  });

  test('the header chooses as the body does, beside tags that are for reports', async () => {
    const model = 'gpt-4';
    assert.equal(await chat({ model }, { headers: { 'x-litellm-tags': 'free,my-custom-tag' } }), 'free-model');
    assert.equal(await chat({ model }, { headers: { 'x-apportion-tags': 'paid, feature=chat' } }), 'paid-model');
    assert.equal(await chat({ model, tags: ['!free'] }), 'default-model');
    assert.equal(await chat({ model, tags: ['free', 'paid', '&paid'] }), 'paid-model');
  });

  test('tags of a team route its keys', async () => {
    const teamKey = async (tag: string): Promise<string> => {
      const team = await ask(world.gateway, '/team/new', { method: 'POST', body: { tags: [tag] } });
      return (await makeKey(world.gateway, { team_id: team['team_id'] })).key;
    };
    const model = 'fake-openai-endpoint';
    assert.equal(await chat({ model }, { key: await teamKey('teamA') }), 'team-a-model');
    assert.equal(await chat({ model }, { key: await teamKey('teamB') }), 'team-b-model');
    assert.equal(await chat({ model }), 'default-model');
  });

  test('where no deployment is for the tags, the answer names the tags and what there is', async () => {
    const earlier = recorded(world.gateway.dataDir).length;
    await assert.rejects(chat({ model: 'tiers', tags: ['gold'] }), (error: Error) => {
      assert.match(error.message, /400 No deployment of tiers is for the tags gold\./);
      assert.match(error.message, /There are a\/gpt-4o-mini \(free\); b\/gpt-4o \(paid\)\./);
      return true;
    });
    assert.equal(recorded(world.gateway.dataDir).length, earlier);
  });

  test('tags open no model that the key may not call', async () => {
    const { key } = await makeKey(world.gateway, { models: ['tiers'] });
    const answer = await send(world.gateway, { key, body: { ...CHAT, model: 'gpt-4', tags: ['gold'] } });
    assert.equal(answer.status, 403, answer.text);
    assert.equal(await chat({ model: 'tiers', tags: ['paid'] }, { key }), 'b/gpt-4o');
  });

  test('a provider whose budget is used up is passed over, in favour of the route’s others and its fallbacks', async () => {
    const { gateway } = world;
    assert.equal(await chat({ model: 'spread' }), 'a/gpt-4o-mini');
    await putBudget(gateway, { id: 'a-is-out', mode: 'standard', limit_usd: '0.000000001', scope: { provider: 'a' } });
    // It is used up by what was spent before; what is spent from now on shows that nothing more goes there.
    const { spent } = await standingOf(gateway, 'a-is-out');
    assert.equal(await chat({ model: 'spread' }), 'b/gpt-4o-mini');
    await putBudget(gateway, { id: 'b-is-out', limit_usd: '0', scope: { provider: 'b', model: 'gpt-4o-mini' } });
    assert.equal(await chat({ model: 'spread' }), 'c/o3');
    const entry = recorded(gateway.dataDir).at(-1);
    assert.deepEqual([entry?.attempt, entry?.cause], [1, 'fallback']);
    await putBudget(gateway, { id: 'c-is-out', limit_usd: '0', scope: { provider: 'c' } });
    const refused = await send(gateway, { body: { ...CHAT, model: 'spread' } });
    assert.equal(refused.status, 402, refused.text);
    assert.match(refused.text, /a-is-out/);
    assert.equal((await standingOf(gateway, 'a-is-out')).spent, spent);
    await clearRules(gateway);
  });

  test('a budget of the key leaves a cheaper deployment of the route, and no fallback', async () => {
    const { gateway } = world;
    const { key, token_id: keyId } = await makeKey(gateway, {});
    const scope = { 'key.id': String(keyId) };
    const { deployments } = await explain({ key, body: { ...CHAT, model: 'dear' } });
    const [first, second] = deployments;
    assert.deepEqual([first?.deployment, second?.deployment], ['a/gpt-4o', 'b/gpt-4o-mini']);
    await putBudget(gateway, { id: 'some', limit_usd: second?.most_cost_exact, scope });
    assert.equal(await chat({ model: 'dear' }, { key }), 'b/gpt-4o-mini');
    await putBudget(gateway, { id: 'none', limit_usd: '0', scope });
    const refused = await send(gateway, { key, body: { ...CHAT, model: 'dear' } });
    assert.equal(refused.status, 402, refused.text);
    const explained = await explain({ key, body: { ...CHAT, model: 'dear' } });
    assert.deepEqual(
      [explained.ok, ...explained.deployments.map(({ reason }) => reason.code)],
      [false, 'budget', 'budget', 'budget'],
    );
    await clearRules(gateway);
  });

  test('cheapest goes by what the call will probably cost', async () => {
    const { deployments } = await explain({ body: { ...CHAT, model: 'cheap' } });
    assert.deepEqual(
      deployments.map(({ deployment }) => deployment),
      ['b/gpt-4o-mini', 'c/o3', 'a/gpt-4o'],
    );
    assert.equal(await chat({ model: 'cheap' }), 'b/gpt-4o-mini');
  });

  test('a limit on a provider, and one of the deployment itself, let the next deployment take the call', async () => {
    const { gateway } = world;
    const earlier = recorded(gateway.dataDir).length;
    assert.equal(await chat({ model: 'held' }), 'held-one');
    assert.equal(await chat({ model: 'held' }), 'b/o3');
    await putLimit(gateway, { id: 'b-slow', scope: { provider: 'b' }, measure: 'requests', amount: 1, per: 'day' });
    const answers = await Promise.all([0, 1, 2].map(async () => send(gateway, { body: { ...CHAT, model: 'held' } })));
    const statuses = answers.map(({ status }) => String(status)).toSorted();
    assert.deepEqual(statuses, ['200', '429', '429']);
    assert.deepEqual(
      recorded(gateway.dataDir)
        .slice(earlier)
        .map(({ provider }) => provider),
      ['a', 'b', 'b'],
    );
    await clearRules(gateway);
  });

  test('a retry for which the deployment has no room is not made: the failure is the answer, and counts as the call', async () => {
    const { gateway, upstreams } = world;
    await upstreams[0]?.script({ error: 500 }, 1);
    const answer = await send(gateway, { body: { ...CHAT, model: 'tight' } });
    assert.equal(answer.status, 500, answer.text);
    const entries = recorded(gateway.dataDir).filter(({ callId }) => callId === answer.callId);
    assert.deepEqual(
      entries.map(({ provider, countsCall }) => [provider, countsCall]),
      [['a', true]],
    );
  });

  test('a deployment that keeps failing rests, one call at a time asks it again, and the state is to be seen', async () => {
    const { gateway, upstreams } = world;
    const stateOf = async (id: string): Promise<unknown> => {
      const { data } = await ask(gateway, '/v1/routes', { method: 'GET' });
      assert.ok(Array.isArray(data));
      const route = data.find(({ name }) => name === 'failing');
      return route.deployments.find((one: { id: string }) => one.id === id);
    };
    const gauge = async (id: string): Promise<string | undefined> => {
      const page = await (await fetch(`${gateway.url}/metrics`)).text();
      return new RegExp(`apportion_deployment_state\\{deployment="${id}"\\} (\\d)`).exec(page)?.[1];
    };
    await upstreams[0]?.script({ error: 500 }, 3);
    for (let calls = 0; calls < 3; calls += 1) assert.equal(await chat({ model: 'failing' }), 'b/gpt-4o');
    assert.equal(await gauge('fails'), '2');
    const { deployments } = await explain({ body: { ...CHAT, model: 'failing' } });
    assert.deepEqual(
      deployments.map(({ deployment, reason }) => [deployment, reason.code]),
      [
        ['b/gpt-4o', 'ordered'],
        ['fails', 'resting'],
      ],
    );
    await until('its time to be up', 60_000, async () => ((await gauge('fails')) === '1' ? true : undefined));
    assert.equal(await chat({ model: 'failing' }), 'fails');
    const state: unknown = await stateOf('fails');
    assert.ok(typeof state === 'object' && state !== null && 'state' in state && 'running' in state);
    assert.deepEqual([state.state, state.running, await gauge('fails')], ['closed', 0, '0']);
  });

  test('calls of a session stay where they are', async () => {
    const places = new Set<string | null>();
    for (let calls = 0; calls < 6; calls += 1) places.add(await chat({ model: 'warm', session_id: 'one talk' }));
    assert.equal(places.size, 1);
  });

  test('an explanation sends, reserves and records nothing, and says of each deployment why', async () => {
    const { gateway, upstreams } = world;
    await putBudget(gateway, { id: 'a-is-out', limit_usd: '0', scope: { provider: 'openai-1' } });
    const stood = await standingOf(gateway, 'a-is-out');
    const counts = async () => Promise.all(upstreams.map(async (upstream) => (await upstream.received()).length));
    const [sent, written] = [await counts(), recorded(gateway.dataDir).length];
    const { key } = await makeKey(gateway, {});
    const explained = await explain({ key, body: { ...CHAT, model: 'gpt-4', tags: ['free', 'paid'] } });
    const told = new Map(explained.deployments.map((one) => [one.deployment, `${one.outcome} ${one.reason.code}`]));
    assert.deepEqual([...told.keys()].slice(2), ['default-model']);
    assert.deepEqual(Object.fromEntries(told), {
      'free-model': 'passed_over budget',
      'paid-model': 'chosen weighted',
      'default-model': 'passed_over tags',
    });
    assert.deepEqual([explained.ok, explained.chosen, explained.tags], [true, 'paid-model', ['free', 'paid']]);
    assert.deepEqual(await counts(), sent);
    assert.equal(recorded(gateway.dataDir).length, written);
    assert.deepEqual(await standingOf(gateway, 'a-is-out'), stood);
    await clearRules(gateway);
  });

  test('an explanation is for any route: path says which, in the query or the body', async () => {
    const body = { ...CHAT, model: 'mixed' };
    const openai = await explain({ body });
    assert.deepEqual(
      openai.deployments.map(({ deployment, translated }) => [deployment, translated]),
      [
        ['claude/claude-haiku-4-5', true],
        ['b/gpt-4o', false],
      ],
    );
    const { messages } = CHAT;
    const anthropic = await explain({ body: { model: 'mixed', messages, max_tokens: 20, path: '/v1/messages' } });
    assert.deepEqual([anthropic.dialect, anthropic.deployments[0]?.translated], ['anthropic', false]);
    const path = '/v1/route/explain?path=/v1beta/models/mixed:generateContent';
    const gemini = await explain({ path, body: { contents: [{ role: 'user', parts: [{ text: 'hi' }] }] } });
    assert.deepEqual([gemini.dialect, gemini.model], ['gemini', 'mixed']);
    const unknown = await explain({ body: { ...CHAT, model: 'tiers', tags: ['gold'] } });
    assert.deepEqual([unknown.ok, unknown.error?.code], [false, 'no_matching_deployment']);
    const wrong = await send(world.gateway, { path: '/v1/route/explain', body: { ...body, path: '/v1/files' } });
    assert.equal(wrong.status, 400);
  });
});

type Explained = {
  readonly ok: boolean;
  readonly chosen: string | null;
  readonly dialect: string;
  readonly model: string;
  readonly tags: readonly string[];
  readonly error: { readonly code: string } | null;
  readonly deployments: readonly {
    readonly deployment: string;
    readonly outcome: string;
    readonly order: number | null;
    readonly reason: { readonly code: string };
    readonly translated: boolean;
    readonly most_cost_exact: string;
  }[];
};
