import assert from 'node:assert/strict';
import { execFile, spawnSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { promisify } from 'node:util';
import type { FastifyInstance } from 'fastify';
import type { StoreReader } from '#analytics';
import { openAccounts, type Accounts } from '#accounts';
import { openStore, type Store } from '#ledger/store';
import { systemClock } from '#std';
import { openAlertsOn } from './alerts.fixture.ts';
import { createAdmin } from './app.ts';
import { openPricing } from './pricing.fixture.ts';
import { storeCalls, type SeedCall } from './stored-calls.fixture.ts';

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
      await storeCalls(store, CALLS);
      const reports: StoreReader = {
        query: (sql, params, options) => store.query(sql, params, options),
        asOf: () => ({ nodeId: 'node', seq: 4, at: null }),
      };
      app = await createAdmin({
        oidc: null,
        accounts,
        store: reports,
        alerts: await openAlertsOn(accounts, reports),
        ...openPricing(accounts).parts,
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

const chatbot = (version: string) => ({ feature: 'chatbot', env: 'production', version });

const CALLS: readonly SeedCall[] = [
  { cost: '500', body: { entity_type: 'customer', entity_id: 'acme-corp', tags: chatbot('2.1.0') } },
  { cost: '23.45', body: { entity_type: 'customer', entity_id: 'acme-corp', tags: chatbot('2.0.0') } },
  { cost: '1', body: { entity_type: 'customer', entity_id: 'globex', tags: { feature: 'search' } } },
  { cost: '7', body: { tags: chatbot('2.0.0') } },
].map((call) => ({ ...call, at: '2025-01-31T23:59:59.999Z' }));
