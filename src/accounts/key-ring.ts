import { type Clock } from '#std';
import { DEFAULT_TAG_RULES, type TagRules } from '#tags';
import { NO_ATTRIBUTION, readStoredAttribution, type Attribution } from './attribution.ts';
import { type ControlChange, type ControlSnapshot, type KeyRecord } from './key-record.ts';
import { type StoredPriceTerm } from './price-term-record.ts';
import { type TeamRecord } from './team-record.ts';
import { hashToken } from './token.ts';

/**
 * A key ready for the call path: tags, locks and policy of key and team are read once, not per call. It is a new object
 * whenever the key or its team changes, so what is made of it may be kept by it (a `WeakMap`).
 */
export type RingKey = KeyRecord & Attribution & { readonly ofTeam: Attribution };

export type Identity =
  | { readonly kind: 'admin' }
  | { readonly kind: 'key'; readonly key: RingKey; readonly state: 'active' | 'blocked' | 'expired' };

export type KeyRingDeps = {
  readonly clock: Clock;
  /** The configured admin key. While there is one, a generated admin key does not count. */
  readonly adminKey: string | null;
  /** How the operator has tags read. */
  readonly tagRules?: TagRules;
};

/** A snapshot may be older than teams and price terms are. */
export type KnownSnapshot = Omit<ControlSnapshot, 'teams' | 'priceTerms'> &
  Partial<Pick<ControlSnapshot, 'teams' | 'priceTerms'>>;

type RingTeam = { readonly attribution: Attribution; readonly blocked: boolean };

const NO_TEAM: RingTeam = { attribution: NO_ATTRIBUTION, blocked: false };

/** All keys in memory, and the operator's price terms, kept current by changes. No I/O. */
export class KeyRing {
  readonly #clock: Clock;
  readonly #configuredHash: string | null;
  readonly #tagRules: TagRules;
  #generatedHash: string | null = null;
  #byHash = new Map<string, RingKey>();
  #byId = new Map<string, RingKey>();
  #teams = new Map<string, RingTeam>();
  #priceTerms: readonly StoredPriceTerm[] = [];
  #revision = 0;

  constructor(snapshot: KnownSnapshot, deps: KeyRingDeps) {
    this.#clock = deps.clock;
    this.#configuredHash = deps.adminKey === null ? null : hashToken(deps.adminKey);
    this.#tagRules = deps.tagRules ?? DEFAULT_TAG_RULES;
    this.replace(snapshot);
  }

  get revision(): number {
    return this.#revision;
  }

  /** Newest first. A new list whenever one of them changes, so what is made of it may be kept by it. */
  get priceTerms(): readonly StoredPriceTerm[] {
    return this.#priceTerms;
  }

  /**
   * Takes over a whole snapshot, at start and after a gap. A lower revision counts too: after `control.db` was restored
   * from a backup, holding on to the higher one would keep deleted keys alive and ignore every later change.
   */
  replace(snapshot: KnownSnapshot): void {
    this.#generatedHash = snapshot.adminKeyHash;
    this.#byHash = new Map();
    this.#byId = new Map();
    this.#teams = new Map();
    for (const team of snapshot.teams ?? []) this.#putTeam(team);
    for (const key of snapshot.keys) this.#put(key);
    this.#priceTerms = snapshot.priceTerms ?? [];
    this.#revision = snapshot.revision;
  }

  /** `resend`: a change in between is missing, nothing was applied, ask for a snapshot. A known change is `applied`. */
  apply(change: ControlChange): 'applied' | 'resend' {
    if (change.revision <= this.#revision) return 'applied';
    if (change.revision !== this.#revision + 1) return 'resend';
    for (const team of change.teams) this.#putTeam(team);
    for (const key of change.keys) this.#put(key);
    if (change.teams.length > 0) this.#followTeams(new Set(change.teams.map(({ id }) => id)));
    if (change.priceTerms.length > 0) this.#followPriceTerms(change.priceTerms);
    this.#revision = change.revision;
    return 'applied';
  }

  /** Whose token this is; undefined when nobody's. */
  identify(token: string): Identity | undefined {
    const hash = hashToken(token);
    if (hash === (this.#configuredHash ?? this.#generatedHash)) return { kind: 'admin' };
    const key = this.#byHash.get(hash);
    if (key === undefined || (hash !== key.hash && !this.#inGrace(key))) return undefined;
    return { kind: 'key', key, state: this.#stateOf(key) };
  }

  /** For reports and messages that know only the id. */
  keyById(id: string): RingKey | undefined {
    return this.#byId.get(id);
  }

  #inGrace({ previous }: KeyRecord): boolean {
    return previous !== null && previous.until > this.#clock.now();
  }

  #stateOf({ blocked, expiresAt, team }: KeyRecord): 'active' | 'blocked' | 'expired' {
    if (blocked || this.#teamOf(team).blocked) return 'blocked';
    return expiresAt !== null && expiresAt <= this.#clock.now() ? 'expired' : 'active';
  }

  #teamOf(id: string): RingTeam {
    return this.#teams.get(id) ?? NO_TEAM;
  }

  #putTeam({ id, blocked, metadata, deletedAt }: TeamRecord): void {
    if (deletedAt !== null) this.#teams.delete(id);
    else this.#teams.set(id, { blocked, attribution: this.#read(metadata, 'team') });
  }

  #put(key: KeyRecord): void {
    const known = this.#byId.get(key.id);
    for (const hash of known === undefined ? [] : [known.hash, known.previous?.hash]) {
      if (hash !== undefined) this.#byHash.delete(hash);
    }
    if (key.deletedAt !== null) {
      this.#byId.delete(key.id);
      return;
    }
    this.#set({ ...key, ...this.#read(key.metadata, 'key'), ofTeam: this.#teamOf(key.team).attribution });
  }

  #read(metadata: KeyRecord['metadata'], whose: 'key' | 'team'): Attribution {
    return readStoredAttribution(metadata, { whose, rules: this.#tagRules });
  }

  #followTeams(teams: ReadonlySet<string>): void {
    for (const key of this.#byId.values()) {
      if (teams.has(key.team)) this.#set({ ...key, ofTeam: this.#teamOf(key.team).attribution });
    }
  }

  #followPriceTerms(changed: readonly StoredPriceTerm[]): void {
    const ids = new Set(changed.map(({ id }) => id));
    const live = changed.filter(({ deletedAt }) => deletedAt === null);
    this.#priceTerms = [...live, ...this.#priceTerms.filter(({ id }) => !ids.has(id))];
  }

  #set(key: RingKey): void {
    this.#byId.set(key.id, key);
    this.#byHash.set(key.hash, key);
    if (key.previous !== null) this.#byHash.set(key.previous.hash, key);
  }
}
