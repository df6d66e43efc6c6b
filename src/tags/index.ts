/**
 * Is: every ingress dialect of tags read into one declaration per source, and all sources weighed into one `TagSet`.
 * Owns: tag grammar, limits, reserved names, precedence, the `tags=` filter grammar. Not: prices, budgets, HTTP.
 * Holds: pure; the order of tags never changes a dimension; a losing value is kept as a conflict; nothing is cut silently.
 * Fails: `ApportionError` (400) naming the field's path and the fix.
 */
export { readBodyTags, TAG_BODY_FIELDS, type BodyTags, type MetadataForward } from './body.ts';
export { readDefaultTags } from './default-tags.ts';
export { NO_TAGS, type TagDeclaration } from './declaration.ts';
export { formatTagFilter, parseTagFilter, type TagFilter } from './filter.ts';
export { MULTIPLE, parseTag, UNTAGGED, type ParsedTag } from './parse-tag.ts';
export {
  applyPolicy,
  compilePolicy,
  createCardinalityGate,
  detect,
  parseTagPolicy,
  type CardinalityGate,
  type CompiledPolicy,
  type DetectedKind,
  type PolicyContext,
  type PolicyLevels,
  type TagPolicy,
} from './policy/index.ts';
export { resolveTags } from './resolve.ts';
