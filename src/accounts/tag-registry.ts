import { type Selectable } from 'kysely';
import { invariant, type Clock, type TimestampMs } from '#std';
import { ApportionError } from '#terms';
import { ITSELF, type AuditLog } from './audit-log.ts';
import { type ControlDatabase, type TagRegistryTable } from './database.ts';
import { type ControlQueries } from './key-table.ts';
import { type TagRequest } from './tag-request.ts';

/** A dimension's key (`team`), or one tag as it is written (`team:growth`, `beta`, `US/California`). */
export type TagKind = 'key' | 'tag';

export type TagDescription = { readonly description: string | null; readonly owner: string | null };

/** What people say about a key or a tag. It explains reports and decides nothing. */
export type RegisteredTag = TagDescription & {
  readonly kind: TagKind;
  readonly name: string;
  /** As LiteLLM's clients state them; nothing is routed by them. */
  readonly models: readonly string[];
  readonly createdAt: TimestampMs;
  readonly updatedAt: TimestampMs;
  readonly createdBy: string;
};

/** What LiteLLM's clients read of who made a tag where nobody is named. */
const ADMIN = 'admin';

export type TagRegistryDeps = { readonly database: ControlDatabase; readonly audit: AuditLog; readonly clock: Clock };

/** What people say of tags. Every change is audited. */
export class TagRegistry {
  readonly #database: ControlDatabase;
  readonly #clock: Clock;
  readonly #audit: AuditLog;

  constructor({ database, audit, clock }: TagRegistryDeps) {
    this.#database = database;
    this.#clock = clock;
    this.#audit = audit;
  }

  /** Registers a key, or changes what is said of it; what the request leaves out stays. */
  async describeKey(request: TagRequest, actor: string = ITSELF): Promise<RegisteredTag> {
    const known = await this.#find('key', request.name);
    const tag = known === undefined ? this.#fresh('key', request) : this.#changed(known, request);
    return this.#put(tag, { actor, action: 'tag_key.describe' });
  }

  async create(request: TagRequest, actor: string = ITSELF): Promise<RegisteredTag> {
    const tag = this.#fresh('tag', request);
    const row = toRow(tag);
    const isMade = await this.#database.transaction().execute(async (queries) => {
      const { numInsertedOrUpdatedRows } = await queries
        .insertInto('tag_registry')
        .values(row)
        .onConflict((conflict) =>
          conflict.columns(['kind', 'name']).doUpdateSet(row).where('tag_registry.deleted_at', 'is not', null),
        )
        .executeTakeFirstOrThrow();
      if (numInsertedOrUpdatedRows !== 1n) return false;
      await this.#record(queries, tag, { actor, action: 'tag.create' });
      return true;
    });
    if (isMade) return tag;
    throw new ApportionError('invalid_field', `Tag ${tag.name} exists.`, {
      param: 'name',
      hint: 'Change it with POST /tag/update.',
    });
  }

  async update(request: TagRequest, actor: string = ITSELF): Promise<RegisteredTag> {
    return this.#put(this.#changed(await this.#known(request.name), request), { actor, action: 'tag.update' });
  }

  async delete(name: string, actor: string = ITSELF): Promise<void> {
    await this.#database.transaction().execute(async (queries) => {
      const { numUpdatedRows } = await queries
        .updateTable('tag_registry')
        .set({ deleted_at: this.#clock.now() })
        .where('kind', '=', 'tag')
        .where('name', '=', name)
        .where('deleted_at', 'is', null)
        .executeTakeFirstOrThrow();
      if (numUpdatedRows === 0n) throw unknownTag(name);
      await this.#audit.record({ actor, action: 'tag.delete', target: name, detail: {} }, queries);
    });
  }

  /** All or none, in the order asked for. */
  async infoOf(names: readonly string[]): Promise<RegisteredTag[]> {
    const tags: RegisteredTag[] = [];
    for (const name of new Set(names)) tags.push(await this.#known(name));
    return tags;
  }

  /** By name. */
  async list(kind: TagKind): Promise<RegisteredTag[]> {
    const rows = await this.#database
      .selectFrom('tag_registry')
      .selectAll()
      .where('kind', '=', kind)
      .where('deleted_at', 'is', null)
      .orderBy('name')
      .execute();
    return rows.map(fromRow);
  }

  async descriptions(kind: TagKind): Promise<ReadonlyMap<string, TagDescription>> {
    return new Map((await this.list(kind)).map(({ name, description, owner }) => [name, { description, owner }]));
  }

  async #find(kind: TagKind, name: string): Promise<RegisteredTag | undefined> {
    const row = await this.#database
      .selectFrom('tag_registry')
      .selectAll()
      .where('kind', '=', kind)
      .where('name', '=', name)
      .where('deleted_at', 'is', null)
      .executeTakeFirst();
    return row === undefined ? undefined : fromRow(row);
  }

  async #known(name: string): Promise<RegisteredTag> {
    const tag = await this.#find('tag', name);
    if (tag === undefined) throw unknownTag(name);
    return tag;
  }

  async #put(tag: RegisteredTag, deed: Deed): Promise<RegisteredTag> {
    const row = toRow(tag);
    await this.#database.transaction().execute(async (queries) => {
      await queries
        .insertInto('tag_registry')
        .values(row)
        .onConflict((conflict) => conflict.columns(['kind', 'name']).doUpdateSet(row))
        .execute();
      await this.#record(queries, tag, deed);
    });
    return tag;
  }

  async #record(queries: ControlQueries, tag: RegisteredTag, { actor, action }: Deed): Promise<void> {
    const { name, description, owner, models } = tag;
    await this.#audit.record({ actor, action, target: name, detail: { description, owner, models } }, queries);
  }

  #fresh(kind: TagKind, { name, description, owner, models }: TagRequest): RegisteredTag {
    const now = this.#clock.now();
    return {
      kind,
      name,
      description: description ?? null,
      owner: owner ?? null,
      models: models ?? [],
      createdAt: now,
      updatedAt: now,
      createdBy: ADMIN,
    };
  }

  #changed(tag: RegisteredTag, { description, owner, models }: TagRequest): RegisteredTag {
    return {
      ...tag,
      description: description === undefined ? tag.description : description,
      owner: owner === undefined ? tag.owner : owner,
      models: models ?? tag.models,
      updatedAt: this.#clock.now(),
    };
  }
}

type Deed = { readonly actor: string; readonly action: string };

function unknownTag(name: string): ApportionError {
  return new ApportionError('not_found', `No such tag: ${name}.`, {
    hint: 'Tags that only traffic carries are in GET /tag/list; POST /tag/new registers one.',
  });
}

function toRow(tag: RegisteredTag): Selectable<TagRegistryTable> {
  return {
    kind: tag.kind,
    name: tag.name,
    description: tag.description,
    owner: tag.owner,
    models: JSON.stringify(tag.models),
    created_at: tag.createdAt,
    updated_at: tag.updatedAt,
    created_by: tag.createdBy,
    deleted_at: null,
  };
}

function fromRow(row: Selectable<TagRegistryTable>): RegisteredTag {
  const { kind } = row;
  invariant(kind === 'key' || kind === 'tag', `the registry has a kind this version does not know: ${kind}`);
  const models: unknown = JSON.parse(row.models);
  invariant(Array.isArray(models), `the models of tag ${row.name} are not a list`);
  return {
    kind,
    name: row.name,
    description: row.description,
    owner: row.owner,
    models: models.map(String),
    createdAt: Number(row.created_at) as TimestampMs,
    updatedAt: Number(row.updated_at) as TimestampMs,
    createdBy: row.created_by,
  };
}
