import type { FastifyInstance, FastifyRequest } from 'fastify';
import type { StoreReader } from '#analytics';
import type { Clock, TimestampMs } from '#std';
import { ApportionError } from '#terms';

export type ReportDeps = { readonly store: StoreReader; readonly clock: Clock };

/** A question that is asked with GET: read from the query string, answered from the store. */
export type ReportRoute<D, Q> = {
  readonly url: string;
  readonly parse: (query: unknown, now: TimestampMs) => Q;
  readonly run: (deps: D, query: Q, signal: AbortSignal) => Promise<unknown>;
};

/** A query stops when who asked for it goes away. */
export function addReport<D extends ReportDeps, Q>(app: FastifyInstance, deps: D, route: ReportRoute<D, Q>): void {
  app.get(route.url, { config: { access: 'admin' } }, (request) =>
    route.run(deps, route.parse(request.query, deps.clock.now()), request.signal),
  );
}

/** What stands in the address in the place of `:name`. */
export function pathParameter({ params }: FastifyRequest, name: string): string {
  const value = typeof params === 'object' && params !== null ? new Map(Object.entries(params)).get(name) : undefined;
  if (typeof value === 'string' && value !== '') return value;
  throw new ApportionError('not_found', `The address names no ${name}.`);
}
