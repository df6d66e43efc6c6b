import assert from 'node:assert/strict';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { parseKeyGenerate, parseMemberNew, parseReadToken } from '#accounts';
import { openStore, type Store } from '#ledger/store';
import { systemClock } from '#std';
import { ADMIN_KEY, openAdmin, type OpenAdmin } from './open-admin.fixture.ts';
import { SILENT } from './silent.fixture.ts';
import { storeCalls, type SeedCall } from './stored-calls.fixture.ts';

const AT = '2026-01-10T12:00:00.000Z';
/** A team's name with everything in it that could end a literal. */
const ODD = "o'dd\\\\' OR 1=1 --";

const SECRET = [
  'rival',
  'globex',
  'r-session',
  'hidden',
  '7.77',
  '22.54',
  'search',
  'call_00000000000000000000000000000001',
];

const CALLS: readonly SeedCall[] = [
  { at: AT, cost: '1', team: 'growth', body: { tags: { customer: 'acme' }, session_id: 'g-session' } },
  {
    at: AT,
    cost: '7.77',
    team: 'search',
    body: { tags: { customer: 'globex', rival: 'hidden' }, session_id: 'r-session' },
  },
  { at: AT, cost: '2', team: 'growth', body: { tags: { customer: 'initech' } } },
  // Says to be of growth; its key says otherwise.
  { at: AT, cost: '7.77', team: 'search', body: { tags: { team: 'growth', customer: 'globex' } } },
  { at: AT, cost: '4', team: ODD, body: { tags: { customer: 'acme' } } },
];

let directory: string;
let store: Store;
let admin: OpenAdmin;
let lead: Record<string, string>;

before(async () => {
  directory = await mkdtemp(join(tmpdir(), 'apportion-reach-'));
  store = await openStore({ path: join(directory, 'store') }, { log: SILENT, clock: systemClock });
  await storeCalls(store, CALLS);
  admin = await openAdmin({ query: store.query, asOf: () => ({ nodeId: 'node', seq: CALLS.length, at: null }) });
  const { accounts } = admin;
  const who = await accounts.members.create(
    parseMemberNew({ email: 'lead@example.com', role: 'team_lead', teams: ['growth'] }),
    'test',
  );
  lead = { cookie: `apportion_session=${(await accounts.createUiSession(who)).token}` };
});

after(async () => {
  await admin.close();
  await store.close();
  await rm(directory, { recursive: true });
});

async function read(url: string, headers: Record<string, string> = lead): Promise<{ status: number; text: string }> {
  const answer = await admin.app.inject({ url, headers });
  return { status: answer.statusCode, text: answer.body };
}

async function totalOf(url: string, headers: Record<string, string> = lead): Promise<unknown> {
  const { status, text } = await read(url, headers);
  assert.equal(status, 200, text);
  const body: { summary: { total_cost_exact: string } } = JSON.parse(text);
  return body.summary.total_cost_exact;
}

async function token(body: object): Promise<Record<string, string>> {
  const { secret } = await admin.accounts.readTokens.create(parseReadToken({ name: 'test', ...body }), 'test');
  return { authorization: `Bearer ${secret}` };
}

const PERIOD = 'start_date=2026-01-01&end_date=2026-01-31';
const COSTS = `/v1/analytics/costs?${PERIOD}`;

for (const url of [
  `${COSTS}&group_by=tags.customer`,
  `${COSTS}&group_by=tags.team`,
  `${COSTS}&group_by=key.team`,
  `/v1/analytics/costs/timeseries?${PERIOD}&group_by=tags.customer`,
  `/v1/analytics/dimensions?${PERIOD}`,
  `/v1/events?${PERIOD}`,
  `/v1/entities?${PERIOD}`,
  `/v1/sessions?${PERIOD}`,
  `/v1/tags?${PERIOD}`,
  `/v1/tags/customer?${PERIOD}`,
  `/v1/tags/hygiene?${PERIOD}`,
  '/spend/logs',
  `/spend/logs?${PERIOD}`,
  '/spend/logs/v2',
  '/spend/tags',
  '/global/spend/tags',
  '/global/spend/all_tag_names',
  `/tag/daily/activity?${PERIOD}`,
  '/tag/list',
]) {
  test(`a team lead sees nothing of another team in ${url}`, async () => {
    const { status, text } = await read(url);
    assert.equal(status, 200, text);
    for (const secret of SECRET) assert.ok(!text.includes(secret), `${secret} in ${text}`);
    const all = await read(url, { authorization: `Bearer ${ADMIN_KEY}` });
    assert.ok(
      SECRET.some((secret) => all.text.includes(secret)),
      `it is there to be seen: ${all.text}`,
    );
  });
}

test('calls and sessions of another team are not there for a team lead', async () => {
  assert.equal((await read('/v1/sessions/r-session')).status, 404);
  assert.equal((await read('/v1/sessions/g-session')).status, 200);
  assert.equal((await read('/v1/events/call_00000000000000000000000000000001')).status, 404);
  assert.equal((await read('/v1/events/call_00000000000000000000000000000000')).status, 200);
});

test('no parameter widens what a team lead sees', async () => {
  assert.equal(await totalOf(COSTS), '3');
  assert.equal(await totalOf(`${COSTS}&key.team=search`), '0');
  assert.equal(await totalOf(`${COSTS}&tags=customer:globex`), '0');
  assert.equal(await totalOf(`${COSTS}&entity_type=customer&entity_id=globex`), '0');
  assert.equal(await totalOf(`${COSTS}&cost_state=exact`), '3');
});

test('a read token sees what it was made for: a team, an entity, both at once, everything', async () => {
  assert.equal(await totalOf(COSTS, await token({ teams: ['growth'] })), '3');
  const acme = { entities: [{ entity_type: 'customer', entity_id: 'acme' }] };
  assert.equal(await totalOf(COSTS, await token(acme)), '5');
  assert.equal(await totalOf(COSTS, await token({ ...acme, teams: ['growth'] })), '1');
  assert.equal(await totalOf(COSTS, await token({ teams: [ODD] })), '4');
  assert.equal(await totalOf(COSTS, await token({ teams: ['nobody'] })), '0');
  assert.equal(await totalOf(COSTS, await token({ everything: true })), '22.54');
  // One reader serves all: what one asked must not stick to the connection.
  assert.equal(await totalOf(COSTS, { authorization: `Bearer ${ADMIN_KEY}` }), '22.54');
});

test('a team lead sees the keys and the record of their team, and learns of no other', async () => {
  const { accounts } = admin;
  for (const team_id of ['growth', 'search'])
    await accounts.generateKey(parseKeyGenerate({ team_id, key_alias: team_id }));
  for (const team_id of ['growth', 'search']) await admin.ask('/team/new', { team_id });
  for (const url of ['/key/list?return_full_object=true', '/team/list']) {
    const { text } = await read(url);
    assert.ok(text.includes('growth') && !text.includes('search'), text);
  }
  for (const url of ['/key/info?key=', '/team/info?team_id=']) {
    assert.equal((await read(`${url}growth`)).status, 200);
    const [theirs, nobodys] = [await read(`${url}search`), await read(`${url}nobody`)];
    assert.deepEqual(theirs, nobodys);
    assert.equal(theirs.status, 404);
  }
});
