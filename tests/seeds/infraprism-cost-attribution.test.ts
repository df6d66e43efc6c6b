import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { runPython, startWorld, withoutPython, type Gateway, type World } from '#world';
import { allAttributed, sendRefused, sendTagged } from '../journeys/attributed.ts';
import { report, whenStored } from '../journeys/record.ts';
import { dearestFirst, rowCosts, spent, totalOfReport } from '../journeys/spending.ts';
import { wireBody } from './keyword-client.ts';

const hello = (content: string) => ({ model: 'gpt-4o', messages: [{ role: 'user', content }] });

type Example = {
  readonly name: string;
  /** What the page's application has at hand. */
  readonly given: string;
  /** As on the page. */
  readonly python: string;
  readonly entity: readonly [type: string, id: string];
  readonly tags?: Readonly<Record<string, string>>;
};

const EXAMPLES: readonly Example[] = [
  {
    name: 'basic usage',
    given: 'user_message = "Hello"\n',
    python: `response = client.chat.completions.create(
model="gpt-4o",
messages=[{"role": "user", "content": user_message}],
entity_type="customer",
entity_id="acme-corp",
)
`,
    entity: ['customer', 'acme-corp'],
  },
  {
    name: 'customer attribution',
    given: 'conversation = messages\ncurrent_user = SimpleNamespace(company_id="acme-corp")\n',
    python: `# E-commerce chatbot
response = client.chat.completions.create(
model="gpt-4o",
messages=conversation,
entity_type="customer",
entity_id=current_user.company_id, # "acme-corp"
)
`,
    entity: ['customer', 'acme-corp'],
  },
  {
    name: 'team attribution',
    given: '',
    python: `# Internal tool
response = client.chat.completions.create(
model="gpt-4o",
messages=messages,
entity_type="team",
entity_id="customer-support", # or "engineering", "sales", etc.
)
`,
    entity: ['team', 'customer-support'],
  },
  {
    name: 'project attribution',
    given: '',
    python: `# Feature-specific tracking
response = client.chat.completions.create(
model="gpt-4o",
messages=messages,
entity_type="project",
entity_id="smart-search", # or "doc-summarizer", "code-review", etc.
)
`,
    entity: ['project', 'smart-search'],
  },
  {
    name: 'employee attribution',
    given: 'current_user = SimpleNamespace(employee_id="emp-12345")\n',
    python: `# Developer tool
response = client.chat.completions.create(
model="gpt-4o",
messages=messages,
entity_type="employee",
entity_id=current_user.employee_id, # "emp-12345"
)
`,
    entity: ['employee', 'emp-12345'],
  },
  {
    name: 'multiple dimensions',
    given: '',
    python: `response = client.chat.completions.create(
model="gpt-4o",
messages=messages,
entity_type="customer",
entity_id="acme-corp",
tags={
"feature": "chatbot", # Which feature
"team": "support", # Which team operates it
"tier": "enterprise", # Customer tier
"env": "production", # Environment
},
)
`,
    entity: ['customer', 'acme-corp'],
    tags: { feature: 'chatbot', team: 'support', tier: 'enterprise', env: 'production' },
  },
  {
    name: 'a stable id',
    given: 'entity_id="cust-12345"\n',
    python:
      'client.chat.completions.create(model="gpt-4o", messages=messages, entity_type="customer", entity_id=entity_id)\n',
    entity: ['customer', 'cust-12345'],
  },
  {
    name: 'a name as id, which is advised against and attributed all the same',
    given: 'entity_id="Acme Corporation"\n',
    python:
      'client.chat.completions.create(model="gpt-4o", messages=messages, entity_type="customer", entity_id=entity_id)\n',
    entity: ['customer', 'Acme Corporation'],
  },
  {
    name: 'constants',
    given: 'customer = SimpleNamespace(id="cust-12345")\n',
    python: `# Define constants
ENTITY_TYPES = {
"CUSTOMER": "customer",
"TEAM": "team",
}
# Use consistently
response = client.chat.completions.create(
model="gpt-4o",
messages=messages,
entity_type=ENTITY_TYPES["CUSTOMER"],
entity_id=customer.id,
)
`,
    entity: ['customer', 'cust-12345'],
  },
];

// The page has lost its indentation; Python needs it back.
const GET_ENTITY_ID = `def get_entity_id(user) -> str:
    if user and user.company_id:
        return user.company_id
    return "anonymous"
response = client.chat.completions.create(
model="gpt-4o",
messages=messages,
entity_type="customer",
entity_id=get_entity_id(current_user),
)
`;

const API_ACCESS = `import requests
response = requests.get(
"https://api.infraprism.com/v1/analytics/costs",
headers={"Authorization": "Bearer ip-..."},
params={
"entity_type": "customer",
"start_date": "2025-01-01",
"end_date": "2099-01-31",
},
)
for entity in response.json()["data"]:
    print(f"{entity['entity_id']}: \${entity['total_cost']:.2f}")
`;

describe('InfraPrism: cost attribution', () => {
  let world: World;
  let gateway: Gateway;

  before(async () => {
    world = await startWorld();
    ({ gateway } = world);
  });
  after(() => world.close());

  for (const { name, given, python, entity, tags } of EXAMPLES) {
    const [type, id] = entity;
    const fields = { entity_type: type, entity_id: id, ...(tags === undefined ? {} : { tags }) };

    test(`${name}: the page’s Python makes this body`, { skip: withoutPython }, async () => {
      assert.deepEqual(await wireBody(given + python), { ...hello('Hello'), ...fields });
    });

    test(`${name}: the call is attributed to its entity`, async () => {
      const call = await sendTagged(gateway, { body: { ...hello('Hello'), ...fields } });
      assert.equal(call.entity, `${type}/${id}`);
      assert.deepEqual(call.tags, { ...tags, [type]: id });
    });
  }

  test('without a user the default is the customer "anonymous"', async () => {
    const call = await sendTagged(gateway, {
      body: { ...hello('Hello'), entity_type: 'customer', entity_id: 'anonymous' },
    });
    assert.equal(call.entity, 'customer/anonymous');
  });

  test('get_entity_id: the page’s Python makes those bodies', { skip: withoutPython }, async () => {
    const idOf = async (user: string): Promise<unknown> =>
      (await wireBody(`current_user = ${user}\n${GET_ENTITY_ID}`))['entity_id'];
    assert.equal(await idOf('None'), 'anonymous');
    assert.equal(await idOf('SimpleNamespace(company_id="")'), 'anonymous');
    assert.equal(await idOf('SimpleNamespace(company_id="acme-corp")'), 'acme-corp');
  });

  test('an id without its type, a type without its id and an unknown type are refused by name', async () => {
    const refused = (fields: object) => sendRefused(gateway, { body: { ...hello('Hello'), ...fields } });
    assert.deepEqual(await refused({ entity_id: 'acme-corp' }), [400, 'invalid_entity', 'entity_type']);
    assert.deepEqual(await refused({ entity_type: 'customer' }), [400, 'invalid_entity', 'entity_id']);
    assert.deepEqual(await refused({ entity_type: 'tenant', entity_id: 'x' }), [400, 'invalid_entity', 'entity_type']);
  });

  test('the questions of the page have answers that are the sum of their calls', async () => {
    for (const [index, customer] of ['acme-corp', 'globex', 'initech'].entries()) {
      const tags = { feature: 'chatbot', team: 'support', tier: 'enterprise' };
      const body = {
        ...hello(`completion_tokens=${100 * 3 ** index}`),
        entity_type: 'customer',
        entity_id: customer,
        tags,
      };
      await sendTagged(gateway, { body });
    }
    await whenStored(gateway);
    const calls = allAttributed(gateway.dataDir);

    // What's the chatbot cost for enterprise customers?
    const chatbot = await report(gateway, { entity_type: 'customer', tags: 'feature:chatbot,tier:enterprise' });
    assert.equal(
      totalOfReport(chatbot),
      spent(calls, ({ tags }) => tags['feature'] === 'chatbot' && tags['tier'] === 'enterprise'),
    );

    // How much does the support team's AI usage cost per customer?
    const support = await report(gateway, { entity_type: 'customer', tags: 'team:support' });
    assert.deepEqual(
      rowCosts(support.data),
      dearestFirst(
        ['acme-corp', 'globex', 'initech'].map((customer) => [
          customer,
          spent(calls, ({ tags }) => tags['team'] === 'support' && tags['customer'] === customer),
        ]),
      ),
    );

    // A customer's costs are found whether it was the entity or a tag.
    await sendTagged(gateway, { body: { ...hello('Hello'), request_tags: ['customer:globex'] } });
    const seen = await whenStored(gateway);
    const globex = await report(gateway, { entity_type: 'customer', entity_id: 'globex' });
    assert.equal(globex.summary.total_events, 2);
    assert.equal(
      totalOfReport(globex),
      spent(allAttributed(gateway.dataDir).slice(0, seen.length), ({ tags }) => tags['customer'] === 'globex'),
    );
  });

  test(
    'the page’s API script prints what each customer costs, after changing host and key',
    { skip: withoutPython },
    async () => {
      await whenStored(gateway);
      const script = API_ACCESS.replace('https://api.infraprism.com', gateway.url).replace('ip-...', gateway.adminKey);
      const printed = (await runPython(script)).trim().split('\n');
      const { data } = await report(gateway, { entity_type: 'customer' });
      assert.deepEqual(
        printed,
        data.map((row) => `${String(row['entity_id'])}: $${Number(row['total_cost']).toFixed(2)}`),
      );
      for (const customer of ['acme-corp', 'anonymous', 'globex']) {
        assert.ok(
          printed.some((line) => line.startsWith(`${customer}: $`)),
          printed.join('\n'),
        );
      }
    },
  );
});
