import type { FastifyInstance } from 'fastify';
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
  parseSessionQuery,
  parseSessionsQuery,
  parseTimeseriesQuery,
  session,
  sessions,
  timeseries,
} from '#analytics';
import { addReport, pathParameter, withinReachOf, type ReportDeps } from './report-route.ts';

export function addAnalyticsRoutes(app: FastifyInstance, deps: ReportDeps): void {
  addReport(app, deps, { url: '/v1/analytics/costs', parse: parseCostsQuery, run: costs });
  addReport(app, deps, { url: '/v1/analytics/costs/timeseries', parse: parseTimeseriesQuery, run: timeseries });
  addReport(app, deps, { url: '/v1/analytics/dimensions', parse: parseDimensionsQuery, run: dimensions });
  addReport(app, deps, { url: '/v1/events', parse: parseEventsQuery, run: events });
  addReport(app, deps, { url: '/v1/entities', parse: parseEntitiesQuery, run: entities });
  addReport(app, deps, { url: '/v1/sessions', parse: parseSessionsQuery, run: sessions });
  app.get('/v1/events/:id', (request) =>
    eventDetail(withinReachOf(request, deps), pathParameter(request, 'id'), request.signal),
  );
  app.get('/v1/sessions/:id', (request) =>
    session(
      withinReachOf(request, deps),
      parseSessionQuery(pathParameter(request, 'id'), request.query, deps.clock.now()),
      request.signal,
    ),
  );
}
