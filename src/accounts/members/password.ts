import { scrypt, timingSafeEqual, type ScryptOptions } from 'node:crypto';
import { invariant } from '#std';
import { ApportionError } from '#terms';
import { type RandomBytes } from '../token.ts';

/** OWASP's second choice for scrypt, 32 MiB a try: about 0.1 s, in a thread of its own. */
const COST = { log2N: 15, r: 8, p: 1 } as const;

const SALT_BYTES = 16;
const HASH_BYTES = 32;
const SHORTEST_CHARS = 12;
const LONGEST_CHARS = 256;

type Stored = {
  readonly log2N: number;
  readonly r: number;
  readonly p: number;
  readonly salt: Buffer;
  readonly hash: Buffer;
};

/** Length is what makes a password hard to guess; nothing else is asked of it. */
export function parsePassword(value: unknown): string {
  if (typeof value === 'string' && value.length >= SHORTEST_CHARS && value.length <= LONGEST_CHARS) return value;
  throw new ApportionError('invalid_field', `password: it has ${SHORTEST_CHARS} to ${LONGEST_CHARS} characters.`, {
    param: 'password',
    hint: 'Several words that do not belong together are easy to keep and hard to guess.',
  });
}

/** @returns `scrypt$log2N$r$p$salt$hash`: the cost stands beside the hash, so it can be raised later */
export async function hashPassword(password: string, random: RandomBytes): Promise<string> {
  const salt = Buffer.from(random(SALT_BYTES));
  const hash = await derive(password, { ...COST, salt });
  const { log2N, r, p } = COST;
  return ['scrypt', log2N, r, p, salt.toString('base64url'), hash.toString('base64url')].join('$');
}

/** @param stored null for who has none: it takes as long as a wrong password does, and tells nothing of who exists */
export async function isPassword(password: string, stored: string | null): Promise<boolean> {
  if (stored === null) {
    await derive(password, { ...COST, salt: Buffer.alloc(SALT_BYTES) });
    return false;
  }
  const { hash, ...how } = read(stored);
  return timingSafeEqual(await derive(password, how), hash);
}

function read(stored: string): Stored {
  const [scheme, log2N, r, p, salt = '', hash = ''] = stored.split('$');
  invariant(scheme === 'scrypt' && hash !== '', 'a stored password is of a scheme this version knows');
  const bytes = (text: string): Buffer => Buffer.from(text, 'base64url');
  return { log2N: Number(log2N), r: Number(r), p: Number(p), salt: bytes(salt), hash: bytes(hash) };
}

function derive(password: string, { log2N, r, p, salt }: Omit<Stored, 'hash'>): Promise<Buffer> {
  const N = 2 ** log2N;
  const options: ScryptOptions = { N, r, p, maxmem: 256 * N * r };
  return new Promise((resolve, reject) => {
    // The same letters typed on another keyboard are the same password.
    scrypt(password.normalize('NFKC'), salt, HASH_BYTES, options, (error, hash) =>
      error === null ? resolve(hash) : reject(error),
    );
  });
}
