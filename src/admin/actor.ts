import type { FastifyRequest } from 'fastify';
import { bearerToken } from '#http';

/** Who asks, for the audit log. The key wins, as it does where access is checked. */
export function actorOf(request: FastifyRequest): 'admin_key' | 'dashboard' {
  return bearerToken(request.headers) === undefined ? 'dashboard' : 'admin_key';
}
