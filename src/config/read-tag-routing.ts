import { z } from 'zod';
import { type ConfigFile } from './config-file.ts';
import { type ConfigProblem } from './problem.ts';
import { NO_ROUTING, type TagRouting } from './routing.ts';
import { schemaProblems } from './schema-issue.ts';

const prefixField = z.string().regex(/^[\x21-\x7e]{1,64}$/, 'a word of at most 64 characters');

const TAG_ROUTING_FIELDS = {
  enabled: z.boolean().optional(),
  match: z.enum(['any', 'all']).optional(),
  prefix: prefixField.optional(),
};

/** The same in LiteLLM's words, as they stand in its config.yaml. */
const ROUTER_FIELDS = {
  enable_tag_filtering: z.boolean().optional(),
  tag_filtering_match_any: z.boolean().optional(),
  tag_routing_prefix: prefixField.optional(),
};

export const TAG_ROUTING_KEYS = Object.keys(TAG_ROUTING_FIELDS);
export const ROUTER_KEYS = Object.keys(ROUTER_FIELDS);

const tagRoutingSchema = z.object(TAG_ROUTING_FIELDS, 'an object');
const routerSchema = z.object(ROUTER_FIELDS, 'an object');

export function readTagRouting(file: ConfigFile): {
  readonly tagRouting: TagRouting;
  readonly problems: ConfigProblem[];
} {
  const [own, theirs] = [['tag_routing'], ['router_settings']];
  const given = tagRoutingSchema.safeParse(file.value(own) ?? {});
  const router = routerSchema.safeParse(file.value(theirs) ?? {});
  const problems = [
    ...file.strayKeys(own, TAG_ROUTING_KEYS),
    ...schemaProblems(given.error, { file, path: own }),
    ...file.strayKeys(theirs, ROUTER_KEYS),
    ...schemaProblems(router.error, { file, path: theirs }),
  ];
  const both = file.value(own) !== undefined && file.value(theirs) !== undefined;
  if (both) {
    const fix = 'Keep one of them.';
    problems.push({ setting: file.named(theirs), what: '"tag_routing" says the same in other words', fix });
  }
  const fallback = NO_ROUTING.tagRouting;
  if (file.value(theirs) === undefined) {
    const { enabled = fallback.enabled, match = fallback.match, prefix = fallback.prefix } = given.data ?? {};
    return { problems, tagRouting: { enabled, match, prefix } };
  }
  const { data } = router;
  return {
    problems,
    tagRouting: {
      enabled: data?.enable_tag_filtering ?? false,
      match: data?.tag_filtering_match_any === false ? 'all' : 'any',
      prefix: data?.tag_routing_prefix ?? fallback.prefix,
    },
  };
}
