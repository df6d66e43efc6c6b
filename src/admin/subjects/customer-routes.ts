import type { FastifyInstance } from 'fastify';
import { z } from 'zod';
import { parseCustomer, parseCustomerId, toCustomerInfo, type SubjectRecord } from '#accounts';
import { actorOf } from '../actor.ts';
import { parseRequest } from '../parse-request.ts';
import { freshFigures, loadFigures, type FigureDeps } from './figures.ts';

/** LiteLLM's customers: values of the dimension `customer` that have a budget, limits, a name, or are blocked. Also under its older name. */
export function addCustomerRoutes(app: FastifyInstance, deps: FigureDeps): void {
  for (const prefix of ['/customer', '/end_user'] as const) addUnder(app, deps, prefix);
}

function addUnder(app: FastifyInstance, deps: FigureDeps, prefix: '/customer' | '/end_user'): void {
  const { clock } = deps;
  const { subjects } = deps.accounts;
  app.post(`${prefix}/new`, async (request) => {
    const made = await subjects.create('customer', parseCustomer(request.body, clock.now()), actorOf(request));
    return infosOf([made], await freshFigures(deps, 'customer'))[0];
  });
  app.post(`${prefix}/update`, async (request) => {
    const changed = await subjects.update('customer', parseCustomer(request.body, clock.now()), actorOf(request));
    return infosOf([changed], await loadFigures(deps, ['customer']))[0];
  });
  app.get(`${prefix}/info`, async ({ query }) => {
    const { end_user_id: id } = parseRequest(query, { schema: ONE, hint: 'Parameter: end_user_id.' });
    const known = await subjects.infoOf('customer', parseCustomerId(id));
    return infosOf([known], await loadFigures(deps, ['customer']))[0];
  });
  app.get(`${prefix}/list`, async () =>
    infosOf(await subjects.list('customer'), await loadFigures(deps, ['customer'])),
  );
  app.post(`${prefix}/delete`, async (request) => {
    const ids = idsOf(request.body);
    await subjects.delete('customer', ids, actorOf(request));
    return { deleted_customers: ids.length, message: `Successfully deleted customers with ids: ${ids.join(', ')}` };
  });
  for (const deed of ['block', 'unblock'] as const) {
    app.post(`${prefix}/${deed}`, async (request) => {
      const changed = await subjects.setBlocked(idsOf(request.body), deed, actorOf(request));
      return { blocked_users: infosOf(changed, await loadFigures(deps, ['customer'])) };
    });
  }
}

function infosOf(customers: readonly SubjectRecord[], figuresOf: Awaited<ReturnType<typeof loadFigures>>): object[] {
  return customers.map((one) => toCustomerInfo(one, figuresOf(one)));
}

const NAME = z.string().min(1);
const ONE = z.strictObject({ end_user_id: NAME });
const MANY = z.strictObject({ user_ids: z.array(NAME).min(1).max(1000) });

function idsOf(body: unknown): readonly string[] {
  const { user_ids: ids } = parseRequest(body ?? {}, { schema: MANY, hint: 'Send {"user_ids": ["acme"]}.' });
  return ids.map(parseCustomerId);
}
