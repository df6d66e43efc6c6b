import type { UpstreamRequest } from './forward.ts';
import type { Upstream } from './upstreams.ts';

/** The gateway could not sign in: nothing was sent. Its cause may hold more than a caller may read. */
export class SignInError extends Error {
  override readonly name = 'SignInError';
}

/** The request with the headers that sign it in; keys alone are among its headers already. */
export async function signIn(upstream: Upstream, request: UpstreamRequest): Promise<UpstreamRequest | SignInError> {
  if (upstream.signer === null) return request;
  const { method, path, headers, body } = request;
  try {
    const signed = await upstream.signer({ method, host: upstream.host, path, body });
    return { ...request, headers: { ...headers, ...signed } };
  } catch (cause) {
    return new SignInError(cause instanceof Error ? cause.name : 'unknown', { cause });
  }
}
