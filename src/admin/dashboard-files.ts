import { existsSync } from 'node:fs';
import { join } from 'node:path';
import fastifyStatic from '@fastify/static';
import type { FastifyInstance, FastifyReply } from 'fastify';
import { ApportionError } from '#terms';

/** What the page may load: its own files only. Style attributes are written by the chart and the menus. */
const CONTENT_SECURITY_POLICY = [
  "default-src 'none'",
  "script-src 'self'",
  "style-src 'self' 'unsafe-inline'",
  "img-src 'self' data:",
  "font-src 'self'",
  "connect-src 'self'",
  "base-uri 'none'",
  "form-action 'self'",
  "frame-ancestors 'none'",
].join('; ');

/** Files under `assets/` carry a hash of their content in their names. */
const FOR_EVER = { maxAge: '365d', immutable: true } as const;
const ASK_AGAIN = { maxAge: 0, immutable: false } as const;

/** The built dashboard. Every address of a page gets the same HTML; the page finds out what to show. */
export async function addDashboardFiles(app: FastifyInstance, deps: { readonly dashboardDir: string }): Promise<void> {
  await app.register(fastifyStatic, { root: deps.dashboardDir, serve: false });
  const page = (reply: FastifyReply): FastifyReply => {
    if (!existsSync(join(deps.dashboardDir, 'index.html'))) {
      throw new ApportionError('not_found', 'The dashboard is not built.', {
        hint: 'Run "node scripts/setup.mjs" and start again. The API works without it.',
      });
    }
    void reply
      .header('content-security-policy', CONTENT_SECURITY_POLICY)
      // `no-referrer` would make browsers send `Origin: null`, which the check of origins refuses.
      .header('referrer-policy', 'same-origin')
      .header('x-frame-options', 'DENY');
    return reply.sendFile('index.html', ASK_AGAIN);
  };
  app.get('/', (_, reply) => page(reply));
  app.get('/ui', (_, reply) => page(reply));
  app.get('/ui/*', (_, reply) => page(reply));
  app.get<{ Params: { '*': string } }>('/assets/*', ({ params, url }, reply) => {
    // The build puts its files beside each other and gives them plain names.
    if (!/^[\w-][\w.-]*$/.test(params['*'])) throw new ApportionError('not_found', `There is no ${url} here.`);
    return reply.sendFile(`assets/${params['*']}`, FOR_EVER);
  });
  for (const file of ['favicon.svg', 'theme.js']) {
    app.get(`/${file}`, (_, reply) => reply.sendFile(file, ASK_AGAIN));
  }
}
