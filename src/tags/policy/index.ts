/**
 * Is: what an operator asks of tags, per deployment, team and key: required keys, allowed values, aliases, caps, no personal data.
 * Owns: the form of a policy, how levels add up, detection and redaction, the count of distinct values. Not: reading or weighing tags.
 * Holds: pure but for the gate it is given; a narrower level never loosens a wider one; what is masked is nowhere in the result.
 * Fails: `ApportionError` (400): `invalid_field` for a policy, `invalid_tag` for a call that breaks an enforced rule.
 */
export { applyPolicy, type PolicyContext } from './apply-policy.ts';
export { createCardinalityGate, type CardinalityGate } from './cardinality-gate.ts';
export { compilePolicy, type CompiledPolicy, type PolicyLevels } from './compile-policy.ts';
export { detect } from './detect.ts';
export { parseTagPolicy } from './parse-policy.ts';
export { type DetectedKind, type TagPolicy } from './tag-policy.ts';
