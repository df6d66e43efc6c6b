import { z } from 'zod';
import { type ConfigFile } from './config-file.ts';
import { type ConfigProblem } from './problem.ts';
import { type Places } from './read-at-place.ts';
import { schemaProblems } from './schema-issue.ts';

/** How tags are read, as the file says it. Tag grammar and policy are read by #tags, through `readAtPlace`. */
export type TagsConfig = {
  /** Header name → dimension; null for a label. */
  readonly headers: Readonly<Record<string, string | null>>;
  /** Members of W3C `baggage` that are tags. */
  readonly baggage: readonly string[];
  /** In addition to the built-in ones. */
  readonly entityTypes: readonly string[];
  /** First segment of a path → the dimension that the second one sets. */
  readonly pathRoots: Readonly<Record<string, string>>;
  readonly endUserAs: 'customer' | 'end_user';
  /** What every call has unless something stronger says otherwise: a list of tags or an object; null when not stated. */
  readonly defaultTags: unknown;
  /** Null when not stated. */
  readonly policy: unknown;
  readonly places: Places;
};

const distinctTexts = z
  .array(z.string())
  .refine((texts) => new Set(texts).size === texts.length, 'a list that names each one once');

const headerMap = z
  .record(z.string(), z.string().nullable())
  .refine(
    (map) => new Set(Object.keys(map).map((name) => name.toLowerCase())).size === Object.keys(map).length,
    'an object that names each header once (upper and lower case are the same header)',
  );

const TAG_FIELDS = {
  headers: headerMap.optional(),
  baggage: distinctTexts.optional(),
  entity_types: distinctTexts.optional(),
  path_roots: z.record(z.string(), z.string()).optional(),
  end_user_as: z.enum(['customer', 'end_user']).optional(),
  default_tags: z
    .union([z.array(z.string()), z.record(z.string(), z.unknown())], 'a list of tags, or an object of keys and values')
    .optional(),
  policy: z.record(z.string(), z.unknown(), 'an object').optional(),
};

export const TAGS_KEYS = Object.keys(TAG_FIELDS);

const tagsSchema = z.object(TAG_FIELDS, 'an object');

const PATH = ['tags'] as const;

export function readTags(file: ConfigFile): { readonly tags: TagsConfig; readonly problems: ConfigProblem[] } {
  const given = file.value(PATH);
  const parsed = tagsSchema.safeParse(given ?? {});
  const problems = [
    ...file.strayKeys(PATH, TAGS_KEYS),
    ...file.repeatedKeysBelow(PATH),
    ...schemaProblems(parsed.error, { file, path: PATH }),
  ];
  const { data } = parsed;
  return {
    problems,
    tags: {
      headers: data?.headers ?? {},
      baggage: data?.baggage ?? [],
      entityTypes: data?.entity_types ?? [],
      pathRoots: data?.path_roots ?? {},
      endUserAs: data?.end_user_as ?? 'customer',
      defaultTags: data?.default_tags ?? null,
      policy: data?.policy ?? null,
      places: file.placesBelow(PATH),
    },
  };
}
