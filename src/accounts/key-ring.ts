import { type Clock } from '#std';
import { NO_TAGS, readDefaultTags, type TagDeclaration } from '#tags';
import { ApportionError } from '#terms';
import { type ControlChange, type ControlSnapshot, type KeyRecord } from './key-record.ts';
import { hashToken } from './token.ts';

/** A key ready for the call path: its default tags are read once, not per call. */
export type RingKey = KeyRecord & { readonly defaultTags: TagDeclaration };

export type Identity =
  | { readonly kind: 'admin' }
  | { readonly kind: 'key'; readonly key: RingKey; readonly state: 'active' | 'blocked' | 'expired' };

export type KeyRingDeps = {
  readonly clock: Clock;
  /** The configured admin key. While there is one, a generated admin key does not count. */
  readonly adminKey: string | null;
};

/** All keys in memory, kept current by changes. No I/O. */
export class KeyRing {
  readonly #clock: Clock;
  readonly #configuredHash: string | null;
  #generatedHash: string | null = null;
  #byHash = new Map<string, RingKey>();
  #byId = new Map<string, RingKey>();
  #revision = 0;

  constructor(snapshot: ControlSnapshot, deps: KeyRingDeps) {
    this.#clock = deps.clock;
    this.#configuredHash = deps.adminKey === null ? null : hashToken(deps.adminKey);
    this.replace(snapshot);
  }

  get revision(): number {
    return this.#revision;
  }

  /**
   * Takes over a whole snapshot, at start and after a gap. A lower revision counts too: after `control.db` was restored
   * from a backup, holding on to the higher one would keep deleted keys alive and ignore every later change.
   */
  replace(snapshot: ControlSnapshot): void {
    this.#generatedHash = snapshot.adminKeyHash;
    this.#byHash = new Map();
    this.#byId = new Map();
    for (const key of snapshot.keys) this.#put(key);
    this.#revision = snapshot.revision;
  }

  /** `resend`: a change in between is missing, nothing was applied, ask for a snapshot. A known change is `applied`. */
  apply(change: ControlChange): 'applied' | 'resend' {
    if (change.revision <= this.#revision) return 'applied';
    if (change.revision !== this.#revision + 1) return 'resend';
    for (const key of change.keys) this.#put(key);
    this.#revision = change.revision;
    return 'applied';
  }

  /** Whose token this is; undefined when nobody's. */
  identify(token: string): Identity | undefined {
    const hash = hashToken(token);
    if (hash === (this.#configuredHash ?? this.#generatedHash)) return { kind: 'admin' };
    const key = this.#byHash.get(hash);
    return key === undefined ? undefined : { kind: 'key', key, state: this.#stateOf(key) };
  }

  /** For reports and messages that know only the id. */
  keyById(id: string): RingKey | undefined {
    return this.#byId.get(id);
  }

  #stateOf({ blocked, expiresAt }: KeyRecord): 'active' | 'blocked' | 'expired' {
    if (blocked) return 'blocked';
    return expiresAt !== null && expiresAt <= this.#clock.now() ? 'expired' : 'active';
  }

  #put(key: KeyRecord): void {
    const known = this.#byId.get(key.id);
    if (known !== undefined) this.#byHash.delete(known.hash);
    if (key.deletedAt !== null) {
      this.#byId.delete(key.id);
      return;
    }
    const ringKey = { ...key, defaultTags: defaultTagsOf(key) };
    this.#byId.set(key.id, ringKey);
    this.#byHash.set(key.hash, ringKey);
  }
}

function defaultTagsOf({ metadata }: KeyRecord): TagDeclaration {
  try {
    return readDefaultTags(metadata);
  } catch (error) {
    if (!(error instanceof ApportionError)) throw error;
    // Checked when the key was made, so this is a key of older rules. One such key must not stop every caller.
    return { ...NO_TAGS, warnings: ['the default tags of this key break the current tag rules and were left out'] };
  }
}
