import { type Clock } from '#std';
import { ControlWrites, type ChangeListener } from './control-writes.ts';
import { AuditLog } from './audit-log.ts';
import { openControlDatabase, type ControlDatabase } from './database.ts';
import { expiryAt } from './expiry.ts';
import { type KeyGenerateRequest } from './key-generate.ts';
import { type ControlSnapshot, type KeyRecord } from './key-record.ts';
import { refuseTakenAlias, referencedKey, unknownKey } from './key-reference.ts';
import { KeyRing } from './key-ring.ts';
import { listKeys, type ControlQueries } from './key-table.ts';
import { updatedKey, type KeyUpdateRequest } from './key-update.ts';
import { migrate } from './migrations.ts';
import { listPriceTerms } from './price-term-table.ts';
import { PriceTermRegister } from './price-terms.ts';
import { TagRegistry, type TagDescription, type TagKind } from './tag-registry.ts';
import { listTeams } from './team-table.ts';
import { Teams } from './teams.ts';
import { hashToken, makeAdminToken, makeCallToken, makeKeyId, shownForm, type RandomBytes } from './token.ts';
import { createUiSession, endUiSession, findUiSession, type UiSession } from './ui-session.ts';

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
  metadata: {},
  blocked: false,
  expiry: { kind: 'never' },
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

/** The control plane: keys, teams, the tag registry, the operator's prices, sessions. One per data directory; the only writer. */
export class Accounts {
  readonly teams: Teams;
  readonly tags: TagRegistry;
  readonly prices: PriceTermRegister;
  readonly audit: AuditLog;
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
    this.teams = new Teams({ database, writes: this.#writes, clock: deps.clock, random: deps.random });
    this.tags = new TagRegistry({ database, clock: deps.clock });
    this.audit = new AuditLog({ database, clock: deps.clock, random: deps.random });
    this.prices = new PriceTermRegister({ database, writes: this.#writes, audit: this.audit, clock: deps.clock });
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
    const callKey = any === undefined ? (await this.generateKey(FIRST_KEY)).token : null;
    return { adminKey, callKey };
  }

  /**
   * Another admin key in the place of the one that was made, because that is lost. Audited. Gateways know it from the next snapshot on:
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
      await this.audit.record({ actor, action: 'admin_key.reset', target: '', detail: {} }, queries);
    });
    return token;
  }

  async generateKey(request: KeyGenerateRequest): Promise<GeneratedKey> {
    const token = makeCallToken(this.#deps.random);
    const now = this.#deps.clock.now();
    const expiresAt = expiryAt(request.expiry, now);
    const key = await this.#writes.write(async (queries, revision) => {
      await refuseTakenAlias(queries, { alias: request.alias, self: null });
      const made: KeyRecord = {
        id: makeKeyId(this.#deps.random),
        hash: hashToken(token),
        name: request.alias ?? request.name ?? shownForm(token),
        alias: request.alias,
        shown: shownForm(token),
        role: 'call',
        team: request.team,
        owner: request.owner,
        models: request.models,
        metadata: request.metadata,
        expiresAt,
        blocked: request.blocked,
        deletedAt: null,
        createdAt: now,
        revision,
      };
      return { answer: made, keys: [made] };
    });
    return { token, key };
  }

  async updateKey(request: KeyUpdateRequest): Promise<KeyRecord> {
    return this.#change(request.key, (key) => updatedKey(key, request, this.#deps.clock.now()));
  }

  /** A new token for the same key; the old one stops working at once. What the request says is changed with it. */
  async regenerateKey(request: KeyUpdateRequest): Promise<GeneratedKey> {
    const token = makeCallToken(this.#deps.random);
    const shown = shownForm(token);
    const key = await this.#change(request.key, (before) => {
      const after = updatedKey(before, request, this.#deps.clock.now());
      return { ...after, hash: hashToken(token), shown, name: after.name === before.shown ? shown : after.name };
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

  async blockKey(reference: string): Promise<KeyRecord> {
    return this.#change(reference, (key) => ({ ...key, blocked: true }));
  }

  async unblockKey(reference: string): Promise<KeyRecord> {
    return this.#change(reference, (key) => ({ ...key, blocked: false }));
  }

  /** The token stops working; the row stays, so that reports keep the key's name. */
  async deleteKey(reference: string): Promise<KeyRecord> {
    return this.#change(reference, (key) => ({ ...key, deletedAt: this.#deps.clock.now() }));
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

  async createUiSession(): Promise<UiSession & { token: string }> {
    return createUiSession(this.#sessionDeps());
  }

  async findUiSession(token: string): Promise<UiSession | undefined> {
    return findUiSession(this.#sessionDeps(), token);
  }

  async endUiSession(token: string): Promise<void> {
    await endUiSession(this.#sessionDeps(), token);
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

  async #change(reference: string, edit: (key: KeyRecord) => KeyRecord): Promise<KeyRecord> {
    return this.#writes.write(async (queries, revision) => {
      const before = await referencedKey(queries, reference);
      if (before.deletedAt !== null) throw unknownKey();
      const key = { ...edit(before), revision };
      await refuseTakenAlias(queries, { alias: key.alias, self: key.id });
      return { answer: key, keys: [key] };
    });
  }
}

const ADMIN_KEY_HASH = 'admin_key_hash';

async function readAdminKeyHash(queries: ControlQueries): Promise<string | null> {
  const row = await queries.selectFrom('meta').select('value').where('key', '=', ADMIN_KEY_HASH).executeTakeFirst();
  return row?.value ?? null;
}
