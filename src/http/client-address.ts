import { type IncomingMessage } from 'node:http';
import { isIP } from 'node:net';
import { withoutMapping, type AddressSet } from './address-set.ts';

/**
 * Where a request comes from. Each proxy adds the address it was asked from at the end of `x-forwarded-for`, so it is read from there, as
 * far as those who wrote it are trusted; what stands before the first one who is not, anybody can have written.
 */
export function clientAddress(
  request: Pick<IncomingMessage, 'headers' | 'socket'>,
  trustedProxies: AddressSet,
): string {
  let address = withoutMapping(request.socket.remoteAddress ?? '');
  if (!trustedProxies.has(address)) return address;
  const { 'x-forwarded-for': header = '' } = request.headers;
  const hops = (Array.isArray(header) ? header.join(',') : header).split(',');
  for (const hop of hops.toReversed()) {
    const written = withoutMapping(hop.trim());
    // A trusted proxy that writes something else cannot be read further.
    if (isIP(written) === 0) return address;
    address = written;
    if (!trustedProxies.has(address)) return address;
  }
  return address;
}
