import { type Selectable } from 'kysely';
import { invariant, type Clock, type TimestampMs } from '#std';
import { ApportionError } from '#terms';
import { type ControlDatabase, type TagRegistryTable } from './database.ts';
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

/** Only the admin writes, as there are no other people here yet. */
const ADMIN = 'admin';

export class TagRegistry {
  readonly #database: ControlDatabase;
  readonly #clock: Clock;

  constructor({ database, clock }: { readonly database: ControlDatabase; readonly clock: Clock }) {
    this.#database = database;
    this.#clock = clock;
  }

  /** Registers a key, or changes what is said of it; what the request leaves out stays. */
  async describeKey(request: TagRequest): Promise<RegisteredTag> {
    const known = await this.#find('key', request.name);
    return this.#put(known === undefined ? this.#fresh('key', request) : this.#changed(known, request));
  }

  async create(request: TagRequest): Promise<RegisteredTag> {
    const tag = this.#fresh('tag', request);
    const row = toRow(tag);
    const { numInsertedOrUpdatedRows } = await this.#database
      .insertInto('tag_registry')
      .values(row)
      .onConflict((conflict) =>
        conflict.columns(['kind', 'name']).doUpdateSet(row).where('tag_registry.deleted_at', 'is not', null),
      )
      .executeTakeFirstOrThrow();
    if (numInsertedOrUpdatedRows === 1n) return tag;
    throw new ApportionError('invalid_field', `Tag ${tag.name} exists.`, {
      param: 'name',
      hint: 'Change it with POST /tag/update.',
    });
  }

  async update(request: TagRequest): Promise<RegisteredTag> {
    return this.#put(this.#changed(await this.#known(request.name), request));
  }

  async delete(name: string): Promise<void> {
    const { numUpdatedRows } = await this.#database
      .updateTable('tag_registry')
      .set({ deleted_at: this.#clock.now() })
      .where('kind', '=', 'tag')
      .where('name', '=', name)
      .where('deleted_at', 'is', null)
      .executeTakeFirstOrThrow();
    if (numUpdatedRows === 0n) throw unknownTag(name);
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

  async #put(tag: RegisteredTag): Promise<RegisteredTag> {
    const row = toRow(tag);
    await this.#database
      .insertInto('tag_registry')
      .values(row)
      .onConflict((conflict) => conflict.columns(['kind', 'name']).doUpdateSet(row))
      .execute();
    return tag;
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
