import { type Clock, type TimestampMs } from '#std';
import { ControlWrites, type ChangeListener, type WriteQueries } from './control-writes.ts';
import { AuditLog, ITSELF } from './audit-log.ts';
import { Budgets } from './budgets/budgets.ts';
import { type LimitRequest } from './budgets/limit-request.ts';
import { type LimitRecord } from './budgets/rule-record.ts';
import { RuleRegister } from './budgets/rule-register.ts';
import { LIMITS } from './budgets/rule-shapes.ts';
import { listBudgets, listLimits } from './budgets/rule-table.ts';
import { openControlDatabase, type ControlDatabase } from './database.ts';
import { expiryAt } from './expiry.ts';
import { forgetValue, type Forgotten, type ForgetRequest } from './forget-value.ts';
import { type KeyGenerateRequest } from './key-generate.ts';
import { type ControlSnapshot, type KeyRecord } from './key-record.ts';
import { refuseTakenAlias, referencedKey, unknownKey } from './key-reference.ts';
import { KeyRing } from './key-ring.ts';
import { listKeys, type ControlQueries } from './key-table.ts';
import { governSubject, type RuleChange } from './subjects/subject-rules.ts';
import { type StatedSpending } from './subjects/subject-terms.ts';
import { Subjects } from './subjects/subjects.ts';
import { updatedKey, type KeyRegenerateRequest, type KeyUpdateRequest } from './key-update.ts';
import { type MemberRecord } from './members/member-record.ts';
import { Members } from './members/members.ts';
import { migrate } from './migrations.ts';
import { listPriceTerms } from './price-term-table.ts';
import { PriceTermRegister } from './price-terms.ts';
import { ReadTokens } from './read-tokens/read-tokens.ts';
import { TagRegistry, type TagDescription, type TagKind } from './tag-registry.ts';
import { listTeams } from './team-table.ts';
import { Teams } from './teams.ts';
import { hashToken, makeAdminToken, makeCallToken, makeKeyId, shownForm, type RandomBytes } from './token.ts';
import { createUiSession, endUiSession, endUiSessionsOf, findUiSession, type UiSession } from './ui-session.ts';

export type AccountsDeps = { readonly file: string; readonly clock: Clock; readonly random: RandomBytes };

/** Plaintexts made by this start, to be shown once; null where nothing had to be made. */
export type Bootstrap = { readonly adminKey: string | null; readonly callKey: string | null };

export type GeneratedKey = { readonly token: string; readonly key: KeyRecord };

export type ListOptions = { readonly include: 'live' | 'all' };

const FIRST_KEY: KeyGenerateRequest = {
  alias: null,
  name: 'first key',
  team: '',
  owner: '',
  models: [],
  routes: [],
  addresses: [],
  metadata: {},
  blocked: false,
  expiry: { kind: 'never' },
  spending: {},
};

/** Opens `control.db`, creating or migrating its tables. Call `bootstrap` before anything else. */
export async function openAccounts(deps: AccountsDeps): Promise<Accounts> {
  const database = openControlDatabase(deps.file);
  try {
    await migrate(database);
    await database
      .insertInto('control_revision')
      .values({ id: 1, value: 0 })
      .onConflict((conflict) => conflict.doNothing())
      .execute();
    return new Accounts(database, deps);
  } catch (error) {
    await database.destroy();
    throw error;
  }
}

/** The control plane: keys, teams, members, read tokens, the tag registry, the operator's prices, sessions. One per data directory; the only writer. */
export class Accounts {
  readonly teams: Teams;
  readonly tags: TagRegistry;
  readonly prices: PriceTermRegister;
  readonly budgets: Budgets;
  readonly limits: RuleRegister<LimitRecord, LimitRequest>;
  readonly subjects: Subjects;
  readonly audit: AuditLog;
  readonly members: Members;
  readonly readTokens: ReadTokens;
  readonly #database: ControlDatabase;
  readonly #deps: AccountsDeps;
  readonly #writes: ControlWrites;
  #ring: KeyRing;

  constructor(database: ControlDatabase, deps: AccountsDeps) {
    this.#database = database;
    this.#deps = deps;
    this.#writes = new ControlWrites(database);
    this.#ring = new KeyRing({ revision: 0, adminKeyHash: null, keys: [] }, { clock: deps.clock, adminKey: null });
    this.#writes.onChange(async (change) => void this.#ring.apply(change));
    this.audit = new AuditLog({ database, clock: deps.clock, random: deps.random });
    this.tags = new TagRegistry({ database, audit: this.audit, clock: deps.clock });
    const audited = { database, audit: this.audit, clock: deps.clock, random: deps.random };
    this.teams = new Teams({ ...audited, writes: this.#writes });
    const writing = { ...audited, writes: this.#writes };
    this.budgets = new Budgets(writing);
    this.limits = new RuleRegister(writing, LIMITS);
    this.subjects = new Subjects(writing);
    this.members = new Members(audited);
    this.readTokens = new ReadTokens(audited);
    this.prices = new PriceTermRegister({ database, writes: this.#writes, audit: this.audit, clock: deps.clock });
  }

  /** The open `control.db`, for modules that keep tables of their own in it. */
  get database(): ControlDatabase {
    return this.#database;
  }

  /** Who holds a token, for this process; gateways keep a ring of their own. */
  get ring(): KeyRing {
    return this.#ring;
  }

  /** Makes an admin key (unless one is configured) and a first call key where they are missing. */
  async bootstrap(options: { readonly adminKey?: string }): Promise<Bootstrap> {
    const adminKey = options.adminKey === undefined ? await this.#makeAdminKey() : null;
    this.#ring = new KeyRing(await this.snapshot(), { clock: this.#deps.clock, adminKey: options.adminKey ?? null });
    const any = await this.#database.selectFrom('keys').select('id').limit(1).executeTakeFirst();
    const callKey = any === undefined ? (await this.#generate(FIRST_KEY, null)).token : null;
    return { adminKey, callKey };
  }

  /**
   * Another admin key in the place of the one that was made, because that is lost. Audited; sessions that began with the lost one end. Gateways know it from the next snapshot on:
   * this is for the command line, beside a server that is stopped or whose ledger process starts again.
   */
  async resetAdminKey(actor: string): Promise<string> {
    const token = makeAdminToken(this.#deps.random);
    const row = { key: ADMIN_KEY_HASH, value: hashToken(token) };
    await this.#database.transaction().execute(async (queries) => {
      await queries
        .insertInto('meta')
        .values(row)
        .onConflict((conflict) => conflict.column('key').doUpdateSet({ value: row.value }))
        .execute();
      await endUiSessionsOf(queries, null);
      await this.audit.record({ actor, action: 'admin_key.reset', target: '', detail: {} }, queries);
    });
    return token;
  }

  async generateKey(request: KeyGenerateRequest, actor: string = ITSELF): Promise<GeneratedKey> {
    return this.#generate(request, actor);
  }

  async updateKey(request: KeyUpdateRequest, actor: string = ITSELF): Promise<KeyRecord> {
    const deed = { reference: request.key, actor, action: 'key.update', spending: request.spending };
    return this.#change(deed, (key) => updatedKey(key, request, this.#deps.clock.now()));
  }

  /**
   * A new token for the same key. The old one stops working at once, or after the grace that is asked for; one that is in grace
   * already stops at once. What the request says is changed with it.
   */
  async regenerateKey(request: KeyRegenerateRequest, actor: string = ITSELF): Promise<GeneratedKey> {
    const token = makeCallToken(this.#deps.random);
    const shown = shownForm(token);
    const deed = { reference: request.key, actor, action: 'key.regenerate', spending: request.spending };
    const key = await this.#change(deed, (before) => {
      const now = this.#deps.clock.now();
      const after = updatedKey(before, request, now);
      const until = (now + request.graceMs) as TimestampMs;
      const previous = request.graceMs === 0 ? null : { hash: before.hash, until };
      const name = after.name === before.shown ? shown : after.name;
      return { ...after, hash: hashToken(token), previous, shown, name };
    });
    return { token, key };
  }

  /** Oldest first. `all` includes deleted keys. */
  async listKeys(options: ListOptions): Promise<KeyRecord[]> {
    const keys = await listKeys(this.#database);
    return options.include === 'all' ? keys : keys.filter(({ deletedAt }) => deletedAt === null);
  }

  /** @param reference a token, its hash, the key's id or its alias; a deleted key is found too */
  async infoOf(reference: string): Promise<KeyRecord> {
    return referencedKey(this.#database, reference);
  }

  async blockKey(reference: string, actor: string = ITSELF): Promise<KeyRecord> {
    return this.#change({ reference, actor, action: 'key.block' }, (key) => ({ ...key, blocked: true }));
  }

  async unblockKey(reference: string, actor: string = ITSELF): Promise<KeyRecord> {
    return this.#change({ reference, actor, action: 'key.unblock' }, (key) => ({ ...key, blocked: false }));
  }

  /** The token stops working; the row stays, so that reports keep the key's name. */
  async deleteKey(reference: string, actor: string = ITSELF): Promise<KeyRecord> {
    const deed = { reference, actor, action: 'key.delete' };
    return this.#change(deed, (key) => ({ ...key, deletedAt: this.#deps.clock.now(), previous: null }));
  }

  async snapshot(): Promise<ControlSnapshot> {
    return this.#database.transaction().execute(async (queries) => {
      const { value } = await queries.selectFrom('control_revision').select('value').executeTakeFirstOrThrow();
      const keys = await listKeys(queries);
      return {
        revision: Number(value),
        adminKeyHash: await readAdminKeyHash(queries),
        keys: keys.filter(({ deletedAt }) => deletedAt === null),
        teams: await listTeams(queries),
        priceTerms: await listPriceTerms(queries),
        budgets: await listBudgets(queries),
        limits: await listLimits(queries),
      };
    });
  }

  /**
   * Every write waits for all listeners before it returns, in order of revision. A listener that rejects fails that
   * write's caller although the write stands, so it should bound its own waiting and resend a snapshot instead.
   *
   * @returns a function that ends the subscription
   */
  onChange(listener: ChangeListener): () => void {
    return this.#writes.onChange(listener);
  }

  /** Descriptions and owners by name: of dimensions' keys, or of single tags as they are written. */
  async tagDescriptions(kind: TagKind = 'key'): Promise<ReadonlyMap<string, TagDescription>> {
    return this.tags.descriptions(kind);
  }

  /** @param member null for whoever shows the admin key */
  async createUiSession(member: MemberRecord | null = null): Promise<UiSession & { token: string }> {
    return createUiSession(this.#sessionDeps(), member);
  }

  async findUiSession(token: string): Promise<UiSession | undefined> {
    return findUiSession(this.#sessionDeps(), token);
  }

  async endUiSession(token: string): Promise<void> {
    await endUiSession(this.#sessionDeps(), token);
  }

  /** Signs somebody out everywhere. @param memberId null for all sessions that began with the admin key */
  async endUiSessionsOf(memberId: string | null, actor: string = ITSELF): Promise<void> {
    await this.#database.transaction().execute(async (queries) => {
      await endUiSessionsOf(queries, memberId);
      await this.audit.record({ actor, action: 'sessions.end', target: memberId ?? 'admin', detail: {} }, queries);
    });
  }

  /** For erasures. */
  async forget(request: ForgetRequest): Promise<Forgotten> {
    return forgetValue({ database: this.#database, writes: this.#writes }, request);
  }

  /** Waits for the write under way. */
  async close(): Promise<void> {
    await this.#writes.settled();
    await this.#database.destroy();
  }

  #sessionDeps(): { database: ControlDatabase; clock: Clock; random: RandomBytes } {
    return { database: this.#database, clock: this.#deps.clock, random: this.#deps.random };
  }

  async #makeAdminKey(): Promise<string | null> {
    const token = makeAdminToken(this.#deps.random);
    const { numInsertedOrUpdatedRows } = await this.#database
      .insertInto('meta')
      .values({ key: ADMIN_KEY_HASH, value: hashToken(token) })
      .onConflict((conflict) => conflict.doNothing())
      .executeTakeFirstOrThrow();
    return numInsertedOrUpdatedRows === 1n ? token : null;
  }

  /** @param actor null at the first start, where nobody asked for it */
  async #generate(request: KeyGenerateRequest, actor: string | null): Promise<GeneratedKey> {
    const token = makeCallToken(this.#deps.random);
    const now = this.#deps.clock.now();
    const expiresAt = expiryAt(request.expiry, now);
    const key = await this.#writes.write(async (queries, revision) => {
      await refuseTakenAlias(queries, { alias: request.alias, self: null });
      const made: KeyRecord = {
        id: makeKeyId(this.#deps.random),
        hash: hashToken(token),
        previous: null,
        name: request.alias ?? request.name ?? shownForm(token),
        alias: request.alias,
        shown: shownForm(token),
        role: 'call',
        team: request.team,
        owner: request.owner,
        models: request.models,
        routes: request.routes,
        addresses: request.addresses,
        metadata: request.metadata,
        expiresAt,
        blocked: request.blocked,
        deletedAt: null,
        createdAt: now,
        revision,
      };
      if (actor !== null) await this.#audit(queries, { actor, action: 'key.generate', key: made });
      const rules = await this.#govern(queries, made, { actor: actor ?? ITSELF, spending: request.spending });
      return { answer: made, keys: [made], ...rules };
    });
    return { token, key };
  }

  /** The budgets and limits a key has, as the request leaves them; they go with it. */
  async #govern(queries: WriteQueries, key: KeyRecord, said: Spending): Promise<RuleChange> {
    const occasion = { actor: said.actor, now: this.#deps.clock.now(), revision: key.revision };
    return governSubject(queries, { kind: 'key', id: key.id, label: key.name, ...said, gone: isGone(key) }, occasion);
  }

  async #audit(queries: ControlQueries, { actor, action, key }: KeyDeed): Promise<void> {
    const { alias, team, owner, models, routes, addresses, metadata, blocked, expiresAt } = key;
    const detail = {
      alias,
      team,
      owner,
      models,
      allowed_routes: routes,
      allowed_ips: addresses,
      metadata,
      blocked,
      expires_at: expiresAt,
      grace_until: key.previous?.until,
    };
    await this.audit.record({ actor, action, target: key.id, detail }, queries);
  }

  async #change(deed: Deed, edit: (key: KeyRecord) => KeyRecord): Promise<KeyRecord> {
    const { reference, actor, action, spending = {} } = deed;
    return this.#writes.write(async (queries, revision) => {
      const before = await referencedKey(queries, reference);
      if (before.deletedAt !== null) throw unknownKey();
      const key = { ...edit(before), revision };
      await refuseTakenAlias(queries, { alias: key.alias, self: key.id });
      await this.#audit(queries, { actor, action, key });
      return { answer: key, keys: [key], ...(await this.#govern(queries, key, { actor, spending })) };
    });
  }
}

type Deed = {
  readonly reference: string;
  readonly actor: string;
  readonly action: string;
  readonly spending?: StatedSpending;
};

type Spending = { readonly actor: string; readonly spending: StatedSpending };

function isGone({ deletedAt }: KeyRecord): boolean {
  return deletedAt !== null;
}

type KeyDeed = Pick<Deed, 'actor' | 'action'> & { readonly key: KeyRecord };

const ADMIN_KEY_HASH = 'admin_key_hash';

async function readAdminKeyHash(queries: ControlQueries): Promise<string | null> {
  const row = await queries.selectFrom('meta').select('value').where('key', '=', ADMIN_KEY_HASH).executeTakeFirst();
  return row?.value ?? null;
}
