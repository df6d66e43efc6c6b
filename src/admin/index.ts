/**
 * Is: HTTP for everything but calls: analytics, keys, sign-in, dashboard files; a Fastify app on a unix socket.
 * Owns: routes, who may use each, cookies, error answers. Not: what a report or a key means.
 * Holds: every route declares who may use it, or the app does not start; a cookie changes nothing from another origin.
 * Fails: OpenAI's error envelope for everything, `internal_error` for bugs, which are logged.
 */
export { createAdmin, type AdminDeps } from './app.ts';
