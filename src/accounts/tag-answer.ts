import { toIso } from './key-answer.ts';
import { type FiguresOf } from './subjects/subject-answer.ts';
import { type RegisteredTag } from './tag-registry.ts';

/** LiteLLM's tag object. */
export function toTagInfo(tag: RegisteredTag, figures: FiguresOf): Record<string, unknown> {
  return {
    name: tag.name,
    description: tag.description,
    owner: tag.owner,
    models: tag.models,
    model_info: null,
    created_at: toIso(tag.createdAt),
    updated_at: toIso(tag.updatedAt),
    created_by: tag.createdBy,
    ...figures({ kind: 'tag', id: tag.name }),
  };
}

/** LiteLLM lists tags that only traffic carries beside the registered ones. */
export function toSeenTagInfo(name: string): Record<string, unknown> {
  return {
    name,
    description: 'Sent by calls, not registered.',
    owner: null,
    models: null,
    model_info: null,
    created_at: null,
    updated_at: null,
    created_by: null,
  };
}

/** The answer to `PUT /v1/tags/{key}`. */
export function toTagKeyInfo(tag: RegisteredTag): Record<string, unknown> {
  return {
    key: tag.name,
    description: tag.description,
    owner: tag.owner,
    created_at: toIso(tag.createdAt),
    updated_at: toIso(tag.updatedAt),
  };
}
