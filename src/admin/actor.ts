import type { FastifyRequest } from 'fastify';
import { knownCaller } from './access.ts';

/** Who asks, for the audit log. */
export function actorOf(request: FastifyRequest): string {
  return knownCaller(request).actor;
}
