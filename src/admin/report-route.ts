import type { FastifyInstance, FastifyRequest } from 'fastify';
import { withinReach, type StoreReader } from '#analytics';
import type { Clock, TimestampMs } from '#std';
import { ApportionError } from '#terms';
import { knownCaller } from './access.ts';

export type ReportDeps = { readonly store: StoreReader; readonly clock: Clock };

/** A question that is asked with GET: read from the query string, answered from the store. */
export type ReportRoute<D, Q> = {
  readonly url: string;
  readonly parse: (query: unknown, now: TimestampMs) => Q;
  readonly run: (deps: D, query: Q, signal: AbortSignal) => Promise<unknown>;
};

/** A query stops when who asked for it goes away. */
export function addReport<D extends ReportDeps, Q>(app: FastifyInstance, deps: D, route: ReportRoute<D, Q>): void {
  app.get(route.url, (request) =>
    route.run(withinReachOf(request, deps), route.parse(request.query, deps.clock.now()), request.signal),
  );
}

/** The same, but that the store holds only what who asks may see. */
export function withinReachOf<D extends ReportDeps>(request: FastifyRequest, deps: D): D {
  return { ...deps, store: withinReach(deps.store, knownCaller(request).reach) };
}

/** What stands in the address in the place of `:name`. */
export function pathParameter({ params }: FastifyRequest, name: string): string {
  const value = typeof params === 'object' && params !== null ? new Map(Object.entries(params)).get(name) : undefined;
  if (typeof value === 'string' && value !== '') return value;
  throw new ApportionError('not_found', `The address names no ${name}.`);
}
