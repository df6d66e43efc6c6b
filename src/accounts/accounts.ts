import { type Transaction } from 'kysely';
import { type Clock, type TimestampMs } from '#std';
import { ApportionError } from '#terms';
import { openControlDatabase, type ControlDatabase, type ControlTables } from './database.ts';
import { type KeyGenerateRequest } from './key-generate.ts';
import { type ControlChange, type ControlSnapshot, type KeyRecord } from './key-record.ts';
import { KeyRing } from './key-ring.ts';
import { findKey, listKeys, nextRevision, putKey } from './key-table.ts';
import { migrate } from './migrations.ts';
import { hashToken, makeAdminToken, makeCallToken, makeKeyId, shownForm, type RandomBytes } from './token.ts';
import { createUiSession, endUiSession, findUiSession, type UiSession } from './ui-session.ts';

export type AccountsDeps = { readonly file: string; readonly clock: Clock; readonly random: RandomBytes };

/** Plaintexts made by this start, to be shown once; null where nothing had to be made. */
export type Bootstrap = { readonly adminKey: string | null; readonly callKey: string | null };

export type GeneratedKey = { readonly token: string; readonly key: KeyRecord };

export type ListOptions = { readonly include: 'live' | 'all' };

type ChangeListener = (change: ControlChange) => Promise<void>;

type Queries = Transaction<ControlTables>;

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

/** The control plane's keys and sessions. One per data directory; the only writer. */
export class Accounts {
  readonly #database: ControlDatabase;
  readonly #deps: AccountsDeps;
  readonly #listeners = new Set<ChangeListener>();
  #ring: KeyRing;
  #lastWrite: Promise<void> = Promise.resolve();

  constructor(database: ControlDatabase, deps: AccountsDeps) {
    this.#database = database;
    this.#deps = deps;
    this.#ring = new KeyRing({ revision: 0, adminKeyHash: null, keys: [] }, { clock: deps.clock, adminKey: null });
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

  async generateKey(request: KeyGenerateRequest): Promise<GeneratedKey> {
    const token = makeCallToken(this.#deps.random);
    const now = this.#deps.clock.now();
    const expiresAt = expiryAt(request.expiry, now);
    const key = await this.#write(async (queries, revision) => {
      if (request.alias !== null) await refuseTakenAlias(queries, request.alias);
      return {
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
    return findReferenced(this.#database, reference);
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
        teams: [],
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
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
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
    await this.#lastWrite;
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
    return this.#write(async (queries, revision) => {
      const key = await findReferenced(queries, reference);
      if (key.deletedAt !== null) throw notFound();
      return { ...edit(key), revision };
    });
  }

  /** One write at a time: listeners must see revisions in order, each before the write returns. */
  async #write(make: (queries: Queries, revision: number) => Promise<KeyRecord>): Promise<KeyRecord> {
    const write = this.#lastWrite.then(async () => {
      const key = await this.#database.transaction().execute(async (queries) => {
        const made = await make(queries, await nextRevision(queries));
        await putKey(queries, made);
        return made;
      });
      const change: ControlChange = { revision: key.revision, keys: [key], teams: [] };
      this.#ring.apply(change);
      await Promise.all(Array.from(this.#listeners, (listener) => listener(change)));
      return key;
    });
    // The next write begins when this one is over, whether it went well or not; its own caller is told either way.
    this.#lastWrite = Promise.allSettled([write]).then(() => undefined);
    return write;
  }
}

const ADMIN_KEY_HASH = 'admin_key_hash';

async function readAdminKeyHash(queries: Queries): Promise<string | null> {
  const row = await queries.selectFrom('meta').select('value').where('key', '=', ADMIN_KEY_HASH).executeTakeFirst();
  return row?.value ?? null;
}

async function findReferenced(queries: ControlDatabase, reference: string): Promise<KeyRecord> {
  const [column, value] = referenceColumn(reference);
  const key = await findKey(queries, column, value);
  if (key === undefined) throw notFound();
  return key;
}

function referenceColumn(reference: string): ['id' | 'hash' | 'alias', string] {
  if (reference.startsWith('sk-')) return ['hash', hashToken(reference)];
  if (/^key_[0-9a-f]{20}$/.test(reference)) return ['id', reference];
  return /^[0-9a-f]{64}$/.test(reference) ? ['hash', reference] : ['alias', reference];
}

async function refuseTakenAlias(queries: Queries, alias: string): Promise<void> {
  const taken = await findKey(queries, 'alias', alias);
  if (taken === undefined || taken.deletedAt !== null) return;
  throw new ApportionError('invalid_field', 'A key with this key_alias exists.', {
    param: 'key_alias',
    hint: 'Reports name keys by their alias; choose another one or delete the other key.',
  });
}

function expiryAt(expiry: KeyGenerateRequest['expiry'], now: TimestampMs): TimestampMs | null {
  if (expiry.kind === 'never') return null;
  const at = expiry.kind === 'at' ? expiry.time : ((now + expiry.ms) as TimestampMs);
  if (at > now) return at;
  throw new ApportionError('invalid_field', 'expires lies in the past.', { param: 'expires' });
}

function notFound(): ApportionError {
  return new ApportionError('not_found', 'No such key.', {
    hint: 'Name a key by its token, its hash (token), its id or its alias.',
  });
}
