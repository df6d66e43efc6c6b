/** Sessions beyond this many are forgotten, the one that was quiet longest first. */
const MOST_SESSIONS = 20_000;

/** Which deployment a session of a route went to last, so that its next call finds the provider's cache warm. */
export class Sessions {
  readonly #places = new Map<string, string>();

  at(route: string, session: string): string | undefined {
    return this.#places.get(keyOf(route, session));
  }

  went(route: string, session: string, deployment: string): void {
    const key = keyOf(route, session);
    // Deleted first, so that the map stays in order of use.
    this.#places.delete(key);
    this.#places.set(key, deployment);
    if (this.#places.size <= MOST_SESSIONS) return;
    const [oldest] = this.#places.keys();
    if (oldest !== undefined) this.#places.delete(oldest);
  }
}

function keyOf(route: string, session: string): string {
  return `${route} ${session}`;
}

/**
 * A number from 0 up to 1 that is the same for the same text on every node: FNV-1a, and MurmurHash3's last step, without which texts
 * that differ in their last letter come out near each other.
 */
export function fractionOf(text: string): number {
  let hash = 0x81_1c_9d_c5;
  for (let at = 0; at < text.length; at += 1) hash = Math.imul(hash ^ text.charCodeAt(at), 0x01_00_01_93);
  hash = Math.imul(hash ^ (hash >>> 16), 0x85_eb_ca_6b);
  hash = Math.imul(hash ^ (hash >>> 13), 0xc2_b2_ae_35);
  return ((hash ^ (hash >>> 16)) >>> 0) / 2 ** 32;
}
