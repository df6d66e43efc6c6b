import { BlockList, isIP } from 'node:net';

/** Addresses and ranges of them, IPv4 and IPv6. */
export type AddressSet = { has(address: string): boolean };

/** @returns what is neither an address nor a range in CIDR notation, or the set */
export function parseAddressSet(texts: readonly string[]): AddressSet | { readonly unfit: string } {
  const list = new BlockList();
  for (const text of texts) if (!add(list, text)) return { unfit: text };
  return {
    has: (address) => {
      const plain = withoutMapping(address);
      return isIP(plain) !== 0 && list.check(plain, familyOf(plain));
    },
  };
}

/** The same, of texts that were checked when they were written: what is unfit all the same lets nobody in. */
export function addressSetOf(texts: readonly string[]): AddressSet {
  const set = parseAddressSet(texts);
  return 'has' in set ? set : { has: () => false };
}

/** One spelling for an address: a listener for both families sees IPv4 as `::ffff:192.0.2.1`. */
export function withoutMapping(address: string): string {
  const mapped = /^::ffff:(\d+\.\d+\.\d+\.\d+)$/i.exec(address)?.[1];
  // A zone (`fe80::1%eth0`) says through which card of this machine, not who it is.
  return mapped ?? address.split('%', 1)[0] ?? address;
}

function add(list: BlockList, text: string): boolean {
  const [address = '', bits, ...more] = text.split('/');
  if (isIP(address) === 0 || more.length > 0) return false;
  const family = familyOf(address);
  if (bits === undefined) {
    list.addAddress(address, family);
    return true;
  }
  if (!/^\d{1,3}$/.test(bits) || Number(bits) > (family === 'ipv4' ? 32 : 128)) return false;
  list.addSubnet(address, Number(bits), family);
  return true;
}

function familyOf(address: string): 'ipv4' | 'ipv6' {
  return isIP(address) === 6 ? 'ipv6' : 'ipv4';
}
