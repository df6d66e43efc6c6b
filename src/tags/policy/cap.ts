import { type TimestampMs } from '#std';
import { type TagSet } from '#terms';
import { MULTIPLE } from '../parse-tag.ts';
import { type CardinalityGate, type Verdict } from './cardinality-gate.ts';
import { type CompiledKey, type CompiledPolicy } from './compile-policy.ts';
import { entityOf, setValues } from './normalize.ts';
import { OTHER } from './marks.ts';
import { type Notes } from './notes.ts';

type Counting = { readonly now: TimestampMs; readonly gate: CardinalityGate; readonly notes: Notes };

/** Puts values beyond a key's daily cap into `(other)`; the entry keeps what was sent in `overflow`. */
export function capValues(tags: TagSet, policy: CompiledPolicy, counting: Counting): TagSet {
  const beyond = new Map<string, string>();
  for (const [key, { caps }] of policy.keys) {
    const value = caps.length === 0 ? undefined : tags.dimensions.get(key)?.value;
    if (value === undefined || value === OTHER || value === MULTIPLE) continue;
    const verdict = weigh(value, caps, counting);
    if (verdict === 'admitted') continue;
    beyond.set(key, value);
    if (verdict === 'first_refused') {
      counting.notes.say(
        `${key} has more distinct values today than its cap; further ones are reported as ${OTHER}, ids belong in session_id or metadata`,
      );
    }
  }
  if (beyond.size === 0) return tags;
  const dimensions = setValues(tags.dimensions, new Map(Array.from(beyond.keys(), (key) => [key, OTHER])));
  const overflow = new Map([...tags.overflow, ...beyond]);
  return { ...tags, dimensions, entity: entityOf(tags, dimensions), overflow };
}

function weigh(value: string, caps: CompiledKey['caps'], { gate, now }: Counting): Verdict {
  for (const { name, maxValues } of caps) {
    const verdict = gate.admit({ name, value, maxValues, now });
    if (verdict !== 'admitted') return verdict;
  }
  return 'admitted';
}
