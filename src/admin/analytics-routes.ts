import type { FastifyInstance, FastifyRequest } from 'fastify';
import {
  costs,
  dimensions,
  entities,
  eventDetail,
  events,
  parseCostsQuery,
  parseDimensionsQuery,
  parseEntitiesQuery,
  parseEventsQuery,
  parseTimeseriesQuery,
  timeseries,
  type StoreReader,
} from '#analytics';
import type { Clock } from '#std';
import { ApportionError } from '#terms';

export type AnalyticsRouteDeps = { readonly store: StoreReader; readonly clock: Clock };

/** Reports. A query stops when who asked for it goes away. */
export function addAnalyticsRoutes(app: FastifyInstance, deps: AnalyticsRouteDeps): void {
  const report = <Q>(
    url: string,
    parse: (query: unknown, now: ReturnType<Clock['now']>) => Q,
    run: (deps: AnalyticsRouteDeps, query: Q, signal: AbortSignal) => Promise<unknown>,
  ): void => {
    app.get(url, { config: { access: 'admin' } }, (request) =>
      run(deps, parse(request.query, deps.clock.now()), request.signal),
    );
  };
  report('/v1/analytics/costs', parseCostsQuery, costs);
  report('/v1/analytics/costs/timeseries', parseTimeseriesQuery, timeseries);
  report('/v1/analytics/dimensions', parseDimensionsQuery, dimensions);
  report('/v1/events', parseEventsQuery, events);
  report('/v1/entities', parseEntitiesQuery, entities);
  app.get('/v1/events/:id', { config: { access: 'admin' } }, (request) =>
    eventDetail(deps, idOf(request), request.signal),
  );
  app.get('/v1/me', { config: { access: 'admin' } }, () => ME);
}

/** InfraPrism's account, for what is one's own server: who holds the admin key. */
const ME = {
  id: 'admin',
  email: null,
  name: 'Administrator',
  company: null,
  plan: 'self-hosted',
  role: 'admin',
  created_at: null,
} as const;

function idOf({ params }: FastifyRequest): string {
  const id = typeof params === 'object' && params !== null && 'id' in params ? params.id : undefined;
  if (typeof id === 'string' && id !== '') return id;
  throw new ApportionError('not_found', 'The event has no id.');
}
