import { lookup as resolveName, type LookupAddress, type LookupOptions } from 'node:dns';
import { BlockList, isIP, type LookupFunction } from 'node:net';
import { ApportionError } from '#terms';

/** Which addresses notifications may be sent to. */
export type TargetPolicy = {
  /** Addresses inside the own network too. */
  readonly allowPrivate: boolean;
  /** Names of hosts that may be anywhere. */
  readonly allowedHosts: readonly string[];
};

/** Networks that no address in the internet is in (IANA's registries of special-purpose addresses), and those that lead to them. */
const INSIDE = new BlockList();
for (const [network, bits] of [
  ['0.0.0.0', 8],
  ['10.0.0.0', 8],
  ['100.64.0.0', 10],
  ['127.0.0.0', 8],
  ['169.254.0.0', 16],
  ['172.16.0.0', 12],
  ['192.0.0.0', 24],
  ['192.0.2.0', 24],
  ['192.88.99.0', 24],
  ['192.168.0.0', 16],
  ['198.18.0.0', 15],
  ['198.51.100.0', 24],
  ['203.0.113.0', 24],
  ['224.0.0.0', 4],
  ['240.0.0.0', 4],
] as const)
  INSIDE.addSubnet(network, bits, 'ipv4');

/** Only addresses given out to the internet; those that wrap one of IPv4 could wrap one from inside. */
const OUTSIDE_6 = new BlockList();
OUTSIDE_6.addSubnet('2000::', 3, 'ipv6');
const WRAPPED_6 = new BlockList();
for (const [network, bits] of [
  ['2001::', 23],
  ['2001:db8::', 32],
  ['2002::', 16],
  ['3fff::', 20],
] as const)
  WRAPPED_6.addSubnet(network, bits, 'ipv6');

/** True for an IP address that belongs to the machine, its network or nobody. */
export function isInside(address: string): boolean {
  if (isIP(address) === 4) return INSIDE.check(address, 'ipv4');
  return !OUTSIDE_6.check(address, 'ipv6') || WRAPPED_6.check(address, 'ipv6');
}

export class TargetRefused extends Error {
  constructor(what: string) {
    super(`${what} is inside the own network, where notifications are not sent`);
    this.name = 'TargetRefused';
  }
}

/** @throws ApportionError for what is no address notifications may go to, as far as that shows without asking the network */
export function parseTarget(text: string, policy: TargetPolicy): URL {
  const url = URL.canParse(text) ? new URL(text) : null;
  if (url === null || !['https:', 'http:'].includes(url.protocol)) throw refuse('this is no http or https address');
  if (url.username !== '' || url.password !== '') throw refuse('an address with a user or a password in it');
  if (isRefused(url, policy)) {
    throw refuse(
      'this address is inside the own network',
      `To allow it, the operator names ${url.hostname} in alerts.allowed_hosts, or sets alerts.allow_private_targets.`,
    );
  }
  return url;
}

/** The URL standard has made 127.0.0.1 of `0x7f.1` and of `2130706433` already. */
export function isRefused({ hostname }: URL, policy: TargetPolicy): boolean {
  if (isAllowed(hostname, policy)) return false;
  const address = hostname.startsWith('[') ? hostname.slice(1, -1) : hostname;
  if (isIP(address) !== 0) return isInside(address);
  return /(^|\.)(localhost|local|internal|localdomain)\.?$/i.test(hostname);
}

/** Resolves a name at the moment of connecting and refuses where it leads inside: a name may lead elsewhere than it did before. */
export function guardedLookup(policy: TargetPolicy): LookupFunction {
  return (hostname, options, answer) => {
    resolveName(hostname, { ...options, all: true }, (error, addresses) => {
      if (error !== null) return answer(error, '', 0);
      const refused = isAllowed(hostname, policy) ? undefined : addresses.find(({ address }) => isInside(address));
      if (refused !== undefined) return answer(new TargetRefused(`${hostname} (${refused.address})`), '', 0);
      give(addresses, options, answer);
    });
  };
}

function give(
  addresses: readonly LookupAddress[],
  options: LookupOptions,
  answer: Parameters<LookupFunction>[2],
): void {
  const [first] = addresses;
  if (options.all === true) answer(null, [...addresses]);
  else if (first === undefined) answer(new Error('the name has no address'), '', 0);
  else answer(null, first.address, first.family);
}

function isAllowed(hostname: string, { allowPrivate, allowedHosts }: TargetPolicy): boolean {
  return allowPrivate || allowedHosts.some((host) => host.toLowerCase() === hostname.toLowerCase());
}

function refuse(
  why: string,
  hint = 'Give the address the receiver names, such as https://example.com/hooks/42.',
): Error {
  return new ApportionError('invalid_field', `url: ${why}.`, { param: 'url', hint });
}
