import { type TimestampMs } from '#std';
import { type TagSet } from '#terms';
import { capValues } from './cap.ts';
import { type CardinalityGate } from './cardinality-gate.ts';
import { checkRules } from './check-rules.ts';
import { type CompiledPolicy } from './compile-policy.ts';
import { detect } from './detect.ts';
import { hint } from './hints.ts';
import { normalize } from './normalize.ts';
import { Notes } from './notes.ts';
import { redact } from './redact.ts';

export type PolicyContext = {
  readonly now: TimestampMs;
  readonly cardinality: CardinalityGate;
  /** The secret of the data directory: hashes group within this deployment, and cannot be guessed outside it. */
  readonly hashKey: Buffer;
};

/**
 * A call's tags after its policy: fold, alias, check, detect, cap. Pure but for the gate, which counts. The same object
 * when the policy has nothing to say. Throws `invalid_tag` naming tag, rule and fix where a rule is enforced.
 */
export function applyPolicy(tags: TagSet, policy: CompiledPolicy, context: PolicyContext): TagSet {
  if (policy.idle) return tags;
  const notes = new Notes(withoutSecrets(tags.warnings));
  const normal = normalize(tags, policy);
  checkRules(normal, policy, notes);
  const clean = redact(normal, { policy, hashKey: context.hashKey, notes });
  const capped = capValues(clean, policy, { now: context.now, gate: context.cardinality, notes });
  if (policy.hints) hint(capped, notes);
  const { warnings } = notes;
  return warnings === capped.warnings ? capped : { ...capped, warnings };
}

/** The resolver names keys in its warnings, and a key may hold anything. */
function withoutSecrets(warnings: readonly string[]): readonly string[] {
  if (warnings.every((warning) => detect(warning).length === 0)) return warnings;
  return warnings.map((warning) =>
    detect(warning).length === 0 ? warning : 'a tag was left out; its key seems to hold personal data or a secret',
  );
}
