import assert from 'node:assert/strict';
import { pico, until, type Gateway } from '#world';

type Fields = Readonly<Record<string, unknown>>;

const JSON_TYPE = { 'content-type': 'application/json' };

type Asked = { readonly method: string; readonly body?: Fields };

/** After a restart administration comes a little later than calls: it is asked again. */
const SERVING_MS = 90_000;

/** What administration answers, which must be 200. */
export async function ask(gateway: Gateway, path: string, { method, body }: Asked): Promise<Record<string, unknown>> {
  const answer = await until(`an answer to ${method} ${path}`, SERVING_MS, async () => {
    const given = await fetch(`${gateway.url}${path}`, {
      method,
      headers: { authorization: `Bearer ${gateway.adminKey}`, ...(body === undefined ? {} : JSON_TYPE) },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
    const text = await given.text();
    return given.status === 503 ? undefined : { status: given.status, text };
  });
  assert.equal(answer.status, 200, `${method} ${path}: ${answer.text}`);
  const json: Record<string, unknown> = JSON.parse(answer.text);
  return json;
}

/** A strict budget for ever, unless the fields say otherwise; in force when this resolves. */
export async function putBudget(gateway: Gateway, fields: Fields & { readonly id: string }): Promise<void> {
  const body = { name: fields.id, mode: 'strict', window: { kind: 'total' }, thresholds: [], scope: {}, ...fields };
  await ask(gateway, '/v1/budgets', { method: 'POST', body });
}

export async function putLimit(gateway: Gateway, fields: Fields & { readonly id: string }): Promise<void> {
  await ask(gateway, '/v1/limits', { method: 'POST', body: { name: fields.id, scope: {}, ...fields } });
}

export async function clearRules(gateway: Gateway): Promise<void> {
  for (const path of ['/v1/budgets', '/v1/limits']) {
    const { data } = await ask(gateway, path, { method: 'GET' });
    assert.ok(Array.isArray(data));
    for (const { id } of data) await ask(gateway, `${path}/${String(id)}`, { method: 'DELETE' });
  }
}

export type Stood = { readonly spent: bigint; readonly reserved: bigint; readonly atRisk: bigint };

/** How a budget stands in all its instances together, as the API says. */
export async function standingOf(gateway: Gateway, id: string): Promise<Stood> {
  const { standings } = await ask(gateway, `/v1/budgets/${id}?limit=1000`, { method: 'GET' });
  assert.ok(Array.isArray(standings), `${id} stands somewhere`);
  const sum = (name: string): bigint =>
    standings.reduce((all: bigint, one: Fields) => all + pico(String(one[`${name}_exact`])), 0n);
  return { spent: sum('spent'), reserved: sum('reserved'), atRisk: sum('at_risk') };
}

/** The budgets there are. */
export async function budgetIds(gateway: Gateway): Promise<readonly string[]> {
  const { data } = await ask(gateway, '/v1/budgets', { method: 'GET' });
  assert.ok(Array.isArray(data));
  return data.map(({ id }) => String(id));
}
