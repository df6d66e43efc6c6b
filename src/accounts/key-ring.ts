import { type Clock } from '#std';
import { DEFAULT_TAG_RULES, type TagRules } from '#tags';
import { NO_ATTRIBUTION, readStoredAttribution, type Attribution } from './attribution.ts';
import { type BudgetRecord, type LimitRecord } from './budgets/rule-record.ts';
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

type Younger = 'teams' | 'priceTerms' | 'budgets' | 'limits';

/** A snapshot may be older than teams, price terms and budgets are. */
export type KnownSnapshot = Omit<ControlSnapshot, Younger> & Partial<Pick<ControlSnapshot, Younger>>;

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
  #budgets: readonly BudgetRecord[] = [];
  #limits: readonly LimitRecord[] = [];
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

  /** A new list whenever one of them changes. Who reads them looks at their dates. */
  get budgets(): readonly BudgetRecord[] {
    return this.#budgets;
  }

  /** A new list whenever one of them changes. Who reads them looks at their dates. */
  get limits(): readonly LimitRecord[] {
    return this.#limits;
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
    this.#budgets = snapshot.budgets ?? [];
    this.#limits = snapshot.limits ?? [];
    this.#revision = snapshot.revision;
  }

  /** `resend`: a change in between is missing, nothing was applied, ask for a snapshot. A known change is `applied`. */
  apply(change: ControlChange): 'applied' | 'resend' {
    if (change.revision <= this.#revision) return 'applied';
    if (change.revision !== this.#revision + 1) return 'resend';
    for (const team of change.teams) this.#putTeam(team);
    for (const key of change.keys) this.#put(key);
    if (change.teams.length > 0) this.#followTeams(new Set(change.teams.map(({ id }) => id)));
    this.#priceTerms = followed(this.#priceTerms, change.priceTerms);
    this.#budgets = followed(this.#budgets, change.budgets);
    this.#limits = followed(this.#limits, change.limits);
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

  #set(key: RingKey): void {
    this.#byId.set(key.id, key);
    this.#byHash.set(key.hash, key);
    if (key.previous !== null) this.#byHash.set(key.previous.hash, key);
  }
}

type Listed = { readonly id: string; readonly deletedAt: number | null };

/** The list after a change, the changed ones first; the same list where nothing in it changed. */
function followed<T extends Listed>(list: readonly T[], changed: readonly T[]): readonly T[] {
  if (changed.length === 0) return list;
  const ids = new Set(changed.map(({ id }) => id));
  return [...changed.filter(({ deletedAt }) => deletedAt === null), ...list.filter(({ id }) => !ids.has(id))];
}
