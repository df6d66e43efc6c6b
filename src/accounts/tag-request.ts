import { z } from 'zod';
import { parseTag } from '#tags';
import { ApportionError } from '#terms';
import { spendingOf, termsFields, type StatedTerms } from './subjects/subject-terms.ts';
import { nameField, parseFields, refuseAll, type Refusals } from './request-fields.ts';

/** What is said of a key or a tag. Undefined leaves a field as it is, null empties it. */
export type TagRequest = {
  readonly name: string;
  readonly description: string | null | undefined;
  readonly owner: string | null | undefined;
  readonly models: readonly string[] | undefined;
  /** Its budgets and limits. */
  readonly spending: StatedTerms;
};

const DESCRIPTION_CHARS = 2000;

const describing = {
  description: z.string().trim().max(DESCRIPTION_CHARS).nullish(),
  owner: nameField.nullish(),
};

const keyFields = z.strictObject(describing);

const nameOnly = { name: z.string() };

const tagFields = z.strictObject({
  ...nameOnly,
  ...describing,
  models: z.array(nameField).max(1000).nullish(),
  ...termsFields,
});

const nameFields = z.strictObject(nameOnly);

const namesFields = z.strictObject({ names: z.array(z.string()).min(1).max(1000) });

const NOTHING_REFUSED: Refusals = new Map();

const TAG_REFUSALS: Refusals = new Map([
  ...refuseAll(['spend'], 'it follows from the ledger; POST /v1/adjustments corrects what was spent'),
  ...refuseAll(['team_id'], 'tags that belong to a team are not available; lock the tag on the team instead'),
  ...refuseAll(['model_info'], 'it follows from models'),
]);

/** Reads what `PUT /v1/tags/{key}` says of a dimension's key. */
export function parseTagKeyRequest(key: string, body: unknown): TagRequest {
  const { description, owner } = parseFields(body, { fields: keyFields, refused: NOTHING_REFUSED });
  return { name: parseKeyName(key), description, owner, models: undefined, spending: {} };
}

/** Reads the body of LiteLLM's `POST /tag/new` and `/tag/update`. */
export function parseTagRequest(body: unknown): TagRequest {
  const { name, description, owner, models, ...spending } = parseFields(body, {
    fields: tagFields,
    refused: TAG_REFUSALS,
  });
  return {
    name: parseTagName(name, 'name'),
    description,
    owner,
    models: models === null ? [] : models,
    spending: spendingOf(spending),
  };
}

/** Reads the body of LiteLLM's `POST /tag/delete`. */
export function parseTagNameRequest(body: unknown): string {
  return parseTagName(parseFields(body, { fields: nameFields, refused: NOTHING_REFUSED }).name, 'name');
}

/** Reads the body of LiteLLM's `POST /tag/info`. */
export function parseTagNamesRequest(body: unknown): readonly string[] {
  const { names } = parseFields(body, { fields: namesFields, refused: NOTHING_REFUSED });
  return names.map((name, index) => parseTagName(name, `names[${index}]`));
}

/** The one way to write a tag, so that ` team: growth` and `team:growth` are one in the registry as they are in a call. */
function parseTagName(text: string, at: string): string {
  const tag = parseTag(text, at);
  switch (tag?.kind) {
    case 'dimension':
      return `${tag.key}:${tag.value}`;
    case 'path':
      return tag.segments.join('/');
    case 'label':
      return tag.label;
    case undefined:
      throw new ApportionError('invalid_field', `${at}: this is no tag.`, {
        param: at,
        hint: 'Write a tag as calls send it: "team:growth", "beta" or "US/California".',
      });
  }
}

function parseKeyName(text: string): string {
  const tag = parseTag(`${text}:value`, 'key');
  if (tag?.kind === 'dimension' && tag.key === text) return text;
  throw new ApportionError('invalid_field', `${JSON.stringify(text)} cannot be the key of a tag.`, {
    param: 'key',
    hint: 'Labels and paths are described with POST /tag/new.',
  });
}
