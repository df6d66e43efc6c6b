import assert from 'node:assert/strict';
import { execFile, spawnSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { promisify } from 'node:util';
import type { FastifyInstance } from 'fastify';
import { openAccounts, type Accounts } from '#accounts';
import { closeEntry, openEntry, type AttemptStart } from '#ledger';
import { openStore, type Store } from '#ledger/store';
import { systemClock, type TimestampMs } from '#std';
import { readBodyTags, resolveTags } from '#tags';
import { picoUsd, type CallId } from '#terms';
import { createAdmin } from './app.ts';

const run = promisify(execFile);

const ADMIN_KEY = 'sk-ap-admin-snippets';

// The two snippets of InfraPrism's documentation, as its users have them in their scripts.
const COST_ATTRIBUTION = `import requests
response = requests.get(
"https://api.infraprism.com/v1/analytics/costs",
headers={"Authorization": "Bearer ip-..."},
params={
"entity_type": "customer",
"start_date": "2025-01-01",
"end_date": "2025-01-31",
},
)
for entity in response.json()["data"]:
    print(f"{entity['entity_id']}: \${entity['total_cost']:.2f}")
`;

const CUSTOM_TAGS = `import requests
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
`;

// Only where the package is missing: the two things of it that the snippets use.
const REQUESTS_STAND_IN = `import json, urllib.parse, urllib.request
class _Response:
    def __init__(self, body): self._body = body
    def json(self): return json.loads(self._body)
def get(url, headers={}, params={}):
    request = urllib.request.Request(url + "?" + urllib.parse.urlencode(params), headers=headers)
    return _Response(urllib.request.urlopen(request).read())
`;

const hasPython = spawnSync('python3', ['--version']).status === 0;

describe(
  'InfraPrism’s Python snippets, but for host and key',
  { skip: hasPython ? false : 'python3 is absent' },
  () => {
    let directory: string;
    let accounts: Accounts;
    let store: Store;
    let app: FastifyInstance;
    let address: string;

    before(async () => {
      directory = await mkdtemp(join(tmpdir(), 'apportion-snippets-'));
      const silent = () => undefined;
      const log = { debug: silent, info: silent, warn: silent, error: silent, fatal: silent, child: () => log };
      store = await openStore({ path: join(directory, 'store') }, { log, clock: systemClock });
      accounts = await openAccounts({ file: join(directory, 'control.db'), clock: systemClock, random: randomBytes });
      await accounts.bootstrap({ adminKey: ADMIN_KEY });
      await seed(store);
      app = await createAdmin({
        accounts,
        store: {
          query: (sql, params, options) => store.query(sql, params, options),
          asOf: () => ({ nodeId: 'node', seq: 4, at: null }),
        },
        clock: systemClock,
        log,
        dashboardDir: directory,
      });
      address = await app.listen({ port: 0, host: '127.0.0.1' });
      await writeFile(join(directory, 'requests.py'), REQUESTS_STAND_IN);
    });

    after(async () => {
      await app.close();
      await accounts.close();
      await store.close();
      await rm(directory, { recursive: true });
    });

    async function printed(snippet: string): Promise<string> {
      const script = snippet.replace('https://api.infraprism.com', address).replace('ip-...', ADMIN_KEY);
      // Behind the installed packages: the stand-in counts only where the real one is missing.
      const path = `import sys; sys.path.append(${JSON.stringify(directory)})\n`;
      const { stdout } = await run('python3', ['-c', path + script]);
      return stdout;
    }

    it('cost attribution prints what each customer costs', async () => {
      assert.equal(await printed(COST_ATTRIBUTION), 'acme-corp: $523.45\nglobex: $1.00\n');
    });

    it('custom tags compares versions', async () => {
      const show =
        'for row in response.json()["data"]: print(row["tag_value"], row["total_cost_exact"], row["total_events"])';
      assert.equal(await printed(CUSTOM_TAGS + show), '2.1.0 500 1\n2.0.0 23.45 1\n');
    });
  },
);

async function seed(store: Store): Promise<void> {
  const at = '2025-01-31T23:59:59.999Z';
  const chatbot = (version: string) => ({ feature: 'chatbot', env: 'production', version });
  const bodies = [
    { cost: 500n, body: { entity_type: 'customer', entity_id: 'acme-corp', tags: chatbot('2.1.0') } },
    {
      cost: 23n,
      extra: 450_000_000_000n,
      body: { entity_type: 'customer', entity_id: 'acme-corp', tags: chatbot('2.0.0') },
    },
    { cost: 1n, body: { entity_type: 'customer', entity_id: 'globex', tags: { feature: 'search' } } },
    { cost: 7n, body: { tags: chatbot('2.0.0') } },
  ];
  const lines = bodies.map(({ cost, extra = 0n, body }, index) => {
    const fields = Object.fromEntries(Object.entries(body).map(([name, value]) => [name, JSON.stringify(value)]));
    const start: AttemptStart = {
      callId: `call_${String(index).padStart(32, '0')}` as CallId,
      attempt: 1,
      startedAt: Date.parse(at) as TimestampMs,
      operation: 'chat',
      stream: false,
      key: { id: 'key_1', name: 'first key', team: '', owner: '' },
      tags: resolveTags(new Map([['body', readBodyTags(fields).declaration]]), { keyTeam: '' }),
      requestModel: 'gpt-4o',
      provider: 'openai',
      model: 'gpt-4o',
      reserved: null,
    };
    const entry = closeEntry(openEntry(start), start, {
      endedAt: start.startedAt,
      status: 'ok',
      httpStatus: 200,
      errorCode: '',
      upstreamId: '',
      responseModel: 'gpt-4o',
      latencyMs: 10,
      firstByteMs: null,
      usage: { meters: { input: 10 }, origin: 'reported', raw: '' },
      rated: { state: 'exact', cost: picoUsd(cost * 1_000_000_000_000n + extra), charges: [], unpricedMeters: [] },
      priceBook: 'book',
    });
    return Buffer.from(`{"node_id":"node","seq":${index + 1},${entry.slice(1)}`);
  });
  await store.insert({ nodeId: 'node', first: 1, last: lines.length, generation: 0, lines });
}
