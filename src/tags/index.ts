/**
 * Is: every ingress dialect of tags read into one declaration per source, and all sources weighed into one `TagSet`.
 * Owns: tag grammar, limits, reserved names, precedence, the `tags=` filter grammar. Not: prices, budgets, HTTP.
 * Holds: pure; the order of tags never changes a dimension; a losing value is kept as a conflict; nothing is cut silently.
 * Fails: `ApportionError` (400) naming the field's path or the header, and the fix.
 */
export { READ_ONLY_BODY_FIELDS, readBodyTags, TAG_BODY_FIELDS, type BodyTags, type MetadataForward } from './body.ts';
export { readDefaultTags } from './default-tags.ts';
export { NO_TAGS, type TagDeclaration } from './declaration.ts';
export { explainTags, type TagExplanation } from './explain.ts';
export { formatTagFilter, parseTagFilter, type TagFilter } from './filter.ts';
export { readHeaderTags, type HeaderSource } from './headers.ts';
export { formatTagsHeader } from './native-header.ts';
export { classifyTag, MULTIPLE, parseTag, UNTAGGED, type ParsedTag } from './parse-tag.ts';
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
export { compileTagRules, DEFAULT_TAG_RULES, type TagRules, type TagRulesInput } from './rules.ts';
