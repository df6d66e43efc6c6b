import type { FastifyInstance, FastifyRequest } from 'fastify';
import { randomBytes } from 'node:crypto';
import { z } from 'zod';
import { parsePriceTermRequest, PRICE_TERM_KINDS, type Accounts, type PriceTermKind } from '#accounts';
import type { Clock } from '#std';
import { ApportionError } from '#terms';
import { actorOf } from '../actor.ts';
import { parseRequest } from '../parse-request.ts';
import { pathParameter } from '../report-route.ts';
import type { CurrentPrices, FileTerms } from './current-prices.ts';
import { toWireFileTerms, toWireStoredTerm, type WirePriceTerm } from './price-term-answer.ts';

export type PriceTermRouteDeps = {
  readonly accounts: Accounts;
  readonly clock: Clock;
  readonly fileTerms: FileTerms;
  readonly current: () => CurrentPrices;
};

const LIST = z.strictObject({ kind: z.enum(PRICE_TERM_KINDS).optional() });

/** The addresses of all terms, and those of one kind, which are views of the same. */
const ADDRESSES: readonly { readonly url: string; readonly post: string; readonly kind: PriceTermKind | null }[] = [
  { url: '/v1/prices/terms', post: '/v1/prices', kind: null },
  { url: '/v1/contracts', post: '/v1/contracts', kind: 'contract' },
  { url: '/v1/markups', post: '/v1/markups', kind: 'markup' },
];

/** Prices of the operator's own, contracts and markups: said, listed, taken away. */
export function addPriceTermRoutes(app: FastifyInstance, deps: PriceTermRouteDeps): void {
  for (const { url, post, kind } of ADDRESSES) {
    app.post(post, (request) => create(deps, kind, request));
    app.get(url, async ({ query }) => {
      const hint = kind === null ? 'Parameter: kind (price, contract, markup).' : `GET ${url} takes no parameters.`;
      const asked = parseRequest(query, { schema: kind === null ? LIST : LIST.omit({ kind: true }), hint });
      const wanted = kind ?? ('kind' in asked ? asked.kind : undefined);
      const data = (await allTerms(deps)).filter((term) => wanted === undefined || term.kind === wanted);
      return { object: 'list', data };
    });
    app.get(`${url}/:id`, (request) => termOf(deps, kind, pathParameter(request, 'id')));
    app.delete(`${url}/:id`, async (request) => {
      const id = pathParameter(request, 'id');
      const found = await termOf(deps, kind, id);
      if (found.file !== null) throw inFile(found);
      const deleted = await deps.accounts.prices.delete(id, actorOf(request));
      return toWireStoredTerm(deleted, deps.current().ends);
    });
  }
}

async function create(
  deps: PriceTermRouteDeps,
  kind: PriceTermKind | null,
  request: FastifyRequest,
): Promise<WirePriceTerm> {
  const asked = parsePriceTermRequest(request.body, { kind, now: deps.clock.now(), random: randomBytes });
  const { book } = deps.current();
  const taken = book.rows.some(({ id }) => id === asked.id) || (await allTerms(deps)).some(({ id }) => id === asked.id);
  if (taken) throw idTaken(asked.id);
  const made = await deps.accounts.prices.create(asked, actorOf(request));
  return toWireStoredTerm(made, deps.current().ends);
}

async function allTerms(deps: PriceTermRouteDeps): Promise<WirePriceTerm[]> {
  const { ends } = deps.current();
  const stored = await deps.accounts.prices.list();
  return [...stored.map((term) => toWireStoredTerm(term, ends)), ...toWireFileTerms(deps.fileTerms, ends)];
}

async function termOf(deps: PriceTermRouteDeps, kind: PriceTermKind | null, id: string): Promise<WirePriceTerm> {
  const { ends } = deps.current();
  const inTheFile = toWireFileTerms(deps.fileTerms, ends).find((term) => term.id === id);
  const found = inTheFile ?? toWireStoredTerm(await deps.accounts.prices.infoOf(id), ends);
  if (kind === null || found.kind === kind) return found;
  throw new ApportionError('not_found', `There is no ${kind} ${id} here.`, {
    hint: `It is a ${found.kind}: GET /v1/prices/terms/{id} takes every kind.`,
  });
}

function inFile({ id, file }: WirePriceTerm): ApportionError {
  return new ApportionError('conflict', `${id} stands in the configuration file (${file ?? ''}).`, {
    param: 'id',
    hint: 'Take it out there and start again.',
  });
}

function idTaken(id: string): ApportionError {
  return new ApportionError('conflict', `${id} is the id of another price.`, {
    param: 'id',
    hint: 'A price is never changed, as entries name it. Leave id out, or choose another.',
  });
}
