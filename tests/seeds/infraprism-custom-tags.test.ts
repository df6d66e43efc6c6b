import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { runPython, startWorld, withoutPython, type Gateway, type Variables, type World } from '#world';
import { allAttributed, send, sendRefused, sendTagged } from '../journeys/attributed.ts';
import { report, whenStored } from '../journeys/record.ts';
import { dearestFirst, rowCosts, spent, totalOfReport } from '../journeys/spending.ts';
import { wireBody } from './keyword-client.ts';

const ASK = { model: 'gpt-4o', messages: [{ role: 'user', content: 'Hello' }] };
const ACME = { entity_type: 'customer', entity_id: 'acme-corp' };

type Example = {
  readonly name: string;
  /** As on the page. Where the page shows `tags` alone, they are sent with the page's own basic call. */
  readonly python: string;
  readonly environment?: Variables;
  readonly fields: Readonly<Record<string, unknown>>;
  /** What the call is attributed to. */
  readonly tags: Readonly<Record<string, string>>;
};

const CALL = 'response = client.chat.completions.create(model="gpt-4o", messages=messages, tags=tags)\n';

const tagsOnly = (name: string, python: string, tags: Readonly<Record<string, string>>): Example => ({
  name,
  python: python + CALL,
  fields: { tags },
  tags,
});

const withCustomer = (name: string, python: string, tags: Readonly<Record<string, string>>): Example => ({
  name,
  python,
  fields: { ...ACME, tags },
  tags: { ...tags, customer: 'acme-corp' },
});

const EXAMPLES: readonly Example[] = [
  withCustomer(
    'basic usage',
    `response = client.chat.completions.create(
    model="gpt-4o",
    messages=messages,
    entity_type="customer",
    entity_id="acme-corp",
    tags={
        "feature": "chatbot",
        "env": "production",
        "version": "2.1.0",
    },
)
`,
    { feature: 'chatbot', env: 'production', version: '2.1.0' },
  ),
  tagsOnly(
    'environment, its variable unset',
    `import os

tags = {
    "env": os.getenv("ENVIRONMENT", "development"),  # production, staging, development
}
`,
    { env: 'development' },
  ),
  {
    ...tagsOnly(
      'environment, its variable set',
      'tags = {\n    "env": os.getenv("ENVIRONMENT", "development"),  # production, staging, development\n}\n',
      { env: 'staging' },
    ),
    environment: { ENVIRONMENT: 'staging' },
  },
  tagsOnly(
    'feature and product',
    `tags = {
    "feature": "document-search",  # or "chatbot", "code-review", "summarizer"
    "product": "enterprise-suite",
}
`,
    { feature: 'document-search', product: 'enterprise-suite' },
  ),
  tagsOnly('version', 'tags = {\n    "version": "2.1.0",\n    "prompt_version": "v3",\n}\n', {
    version: '2.1.0',
    prompt_version: 'v3',
  }),
  tagsOnly(
    'model experiments',
    'tags = {\n    "experiment": "rag-v2",\n    "retrieval_method": "hybrid",\n    "chunk_size": "512",\n}\n',
    { experiment: 'rag-v2', retrieval_method: 'hybrid', chunk_size: '512' },
  ),
  tagsOnly(
    'user context',
    `tags = {
    "user_tier": "premium",      # free, basic, premium, enterprise
    "user_tenure": "new",        # new, returning, long-term
    "plan": "growth",
}
`,
    { user_tier: 'premium', user_tenure: 'new', plan: 'growth' },
  ),
  tagsOnly(
    'request context',
    `tags = {
    "request_source": "api",     # api, web, mobile, slack
    "priority": "high",
    "workflow": "onboarding",
}
`,
    { request_source: 'api', priority: 'high', workflow: 'onboarding' },
  ),
  withCustomer(
    'multi-dimensional analysis',
    `response = client.chat.completions.create(
    model="gpt-4o",
    messages=messages,
    entity_type="customer",
    entity_id="acme-corp",
    tags={
        "feature": "chatbot",
        "env": "production",
        "tier": "enterprise",
        "region": "us-east",
    },
)
`,
    { feature: 'chatbot', env: 'production', tier: 'enterprise', region: 'us-east' },
  ),
  tagsOnly(
    'string values',
    `tags = {
    "feature": "chatbot",
    "retry_count": "3",        # String, not int
    "cached": "true",          # String, not bool
}
`,
    { feature: 'chatbot', retry_count: '3', cached: 'true' },
  ),
  tagsOnly(
    'consistent naming',
    '# Good - consistent snake_case\ntags = {\n    "user_tier": "premium",\n    "request_source": "api",\n}\n',
    { user_tier: 'premium', request_source: 'api' },
  ),
  tagsOnly(
    'inconsistent naming, which is advised against and attributed all the same',
    '# Avoid - inconsistent naming\ntags = {\n    "userTier": "premium",\n    "request-source": "api",\n}\n',
    { userTier: 'premium', 'request-source': 'api' },
  ),
  tagsOnly('low cardinality', 'tags = {"region": "us-east"}\n', { region: 'us-east' }),
  tagsOnly('nothing sensitive', 'tags = {"user_tier": "premium"}\n', { user_tier: 'premium' }),
  tagsOnly('consistent values', 'tags = {"env": "production"}  # Always "production"\n', { env: 'production' }),
  tagsOnly(
    'focused tags',
    'tags = {\n    "feature": "chatbot",\n    "env": "production",\n    "version": "2.0",\n}\n',
    { feature: 'chatbot', env: 'production', version: '2.0' },
  ),
];

const BUILD_TAGS = `__version__ = "2.1.0"
customer_id = "acme-corp"

def build_tags(request) -> dict:
    tags = {
        "env": os.getenv("ENVIRONMENT"),
        "version": __version__,
    }

    if hasattr(request, "feature"):
        tags["feature"] = request.feature

    if hasattr(request, "experiment_id"):
        tags["experiment"] = request.experiment_id

    return tags

response = client.chat.completions.create(
    model="gpt-4o",
    messages=messages,
    entity_type="customer",
    entity_id=customer_id,
    tags=build_tags(request),
)
`;

const API_QUERY = `import requests
response = requests.get(
    "https://api.infraprism.com/v1/analytics/costs",
    headers={"Authorization": "Bearer ip-..."},
    params={
        "entity_type": "customer",
        "start_date": "2025-01-01",
        "tags": "feature:chatbot,env:production",  # Filter by tags
        "group_by": "tags.version",                 # Group by tag
    },
)
for row in response.json()["data"]: print(row["tag_value"], row["total_cost_exact"])
`;

describe('InfraPrism: custom tags', () => {
  let world: World;
  let gateway: Gateway;

  before(async () => {
    world = await startWorld();
    ({ gateway } = world);
  });
  after(() => world.close());

  for (const { name, python, environment, fields, tags } of EXAMPLES) {
    test(`${name}: the page’s Python makes this body`, { skip: withoutPython }, async () => {
      assert.deepEqual(await wireBody(python, environment), { ...ASK, ...fields });
    });

    test(`${name}: the call is attributed to its tags`, async () => {
      const call = await sendTagged(gateway, { body: { ...ASK, ...fields } });
      assert.deepEqual(call.tags, tags);
      assert.equal(call.entity, 'entity_id' in fields ? 'customer/acme-corp' : '');
      assert.deepEqual(new Set(Object.values(call.provenance)), new Set(['declared']));
    });
  }

  test('build_tags: an unset variable is an absent tag, said in a header', async () => {
    const fields = { ...ACME, tags: { env: null, version: '2.1.0' } };
    const call = await sendTagged(gateway, { body: { ...ASK, ...fields } });
    assert.deepEqual(call.tags, { version: '2.1.0', customer: 'acme-corp' });
    assert.match(call.answer.warnings, /tags\.env is null/);
    assert.deepEqual(call.sent, ['version:2.1.0']);
  });

  test('build_tags: the page’s Python makes those bodies', { skip: withoutPython }, async () => {
    assert.deepEqual(await wireBody(`request = object()\n${BUILD_TAGS}`), {
      ...ASK,
      ...ACME,
      tags: { env: null, version: '2.1.0' },
    });
    const request = 'request = SimpleNamespace(feature="chatbot", experiment_id="rag-v2")\n';
    assert.deepEqual(await wireBody(request + BUILD_TAGS, { ENVIRONMENT: 'production' }), {
      ...ASK,
      ...ACME,
      tags: { env: 'production', version: '2.1.0', feature: 'chatbot', experiment: 'rag-v2' },
    });
  });

  test('numbers and booleans, which the page advises against, are kept as they are written', async () => {
    const body = `{"model":"gpt-4o","messages":[{"role":"user","content":"Hello"}],"tags":{"retry_count":3,"cached":true,"version":2.0}}`;
    const { tags } = await sendTagged(gateway, { body });
    assert.deepEqual(tags, { retry_count: '3', cached: 'true', version: '2.0' });
  });

  for (const key of ['_infraprism_source', 'entity_type', 'entity_id', 'session_id']) {
    test(`the reserved tag ${key} is refused, with what to do instead`, async () => {
      const sent = { body: { ...ASK, tags: { [key]: 'x' } } };
      assert.deepEqual(await sendRefused(gateway, sent), [400, 'reserved_tag', `tags.${key}`]);
      const { error }: { error: { hint: string } } = JSON.parse((await send(gateway, sent)).text);
      assert.ok(error.hint.length > 0);
    });
  }

  test('the questions of the page have answers that are the sum of their calls', async () => {
    const more = [
      { ...ACME, tags: { feature: 'chatbot', env: 'production', tier: 'enterprise', region: 'eu-west' } },
      { tags: { feature: 'code-review', user_tier: 'premium' } },
      { tags: { feature: 'summarizer', user_tier: 'premium' } },
      { ...ACME, tags: { feature: 'chatbot', env: 'production', version: '2.0' } },
    ];
    for (const [index, fields] of more.entries()) {
      // Costs that differ, so that no row can be taken for another.
      const messages = [{ role: 'user', content: `completion_tokens=${100 * 2 ** index}` }];
      await sendTagged(gateway, { body: { ...ASK, messages, ...fields } });
    }
    await whenStored(gateway);
    const calls = allAttributed(gateway.dataDir);
    const costOf = (wanted: Readonly<Record<string, string>>): bigint =>
      spent(calls, ({ tags }) => Object.entries(wanted).every(([key, value]) => tags[key] === value));
    const rows = async (query: Readonly<Record<string, string>>): Promise<[string, bigint][]> =>
      rowCosts((await report(gateway, query)).data).filter(([value]) => value !== '(untagged)');

    // What's the chatbot cost in production for enterprise customers?
    const enterprise = await report(gateway, {
      entity_type: 'customer',
      tags: 'feature:chatbot,env:production,tier:enterprise',
    });
    assert.equal(totalOfReport(enterprise), costOf({ feature: 'chatbot', env: 'production', tier: 'enterprise' }));

    // How does US-East compare to EU-West?
    assert.deepEqual(
      await rows({ tags: 'region:us-east,region:eu-west', group_by: 'tags.region' }),
      dearestFirst(['us-east', 'eu-west'].map((region) => [region, costOf({ region })])),
    );

    // Which features are most expensive for premium users?
    assert.deepEqual(
      await rows({ tags: 'user_tier:premium', group_by: 'tags.feature' }),
      dearestFirst(
        ['code-review', 'summarizer'].map((feature) => [feature, costOf({ user_tier: 'premium', feature })]),
      ),
    );

    // Show only production traffic; group costs by feature; compare v2.0 with v2.1.
    assert.equal(totalOfReport(await report(gateway, { tags: 'env:production' })), costOf({ env: 'production' }));
    const { data, summary } = await report(gateway, { group_by: 'tags.feature' });
    assert.equal(
      rowCosts(data).reduce((sum, [, cost]) => sum + cost, 0n),
      spent(calls),
    );
    assert.equal(summary.total_events, calls.length);
    assert.deepEqual(
      await rows({ tags: 'version:2.0,version:2.1.0', group_by: 'tags.version' }),
      dearestFirst(['2.0', '2.1.0'].map((version) => [version, costOf({ version })])),
    );
  });

  test('the page’s API query runs after changing host and key', { skip: withoutPython }, async () => {
    await whenStored(gateway);
    const script = API_QUERY.replace('https://api.infraprism.com', gateway.url).replace('ip-...', gateway.adminKey);
    const rows = (await runPython(script))
      .trim()
      .split('\n')
      .map((line) => line.split(' '));
    const asked = { entity_type: 'customer', tags: 'feature:chatbot,env:production', group_by: 'tags.version' };
    const { data } = await report(gateway, asked);
    assert.deepEqual(
      rows.map(([, cost]) => cost),
      data.map((row) => row.total_cost_exact),
    );
    assert.ok(rows.some(([value]) => value === '2.1.0') && rows.some(([value]) => value === '2.0'));
  });
});
