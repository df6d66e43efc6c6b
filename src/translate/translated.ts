import type { Wire } from '#wires';

/** Between which wires calls can be translated, by the caller's; what is closest comes first. */
const TARGETS: ReadonlyMap<string, readonly Wire[]> = new Map();

/** The providers' wires that a call of this one can be put into. */
export function targetsOf(wire: Wire): readonly Wire[] {
  return TARGETS.get(wire.name) ?? [];
}

const made = new WeakMap<Wire, Map<string, Wire>>();

/** The wire with the caller's side of one and the provider's side of another. */
export function translated(wire: Wire, target: Wire): Wire {
  const known = made.get(target) ?? new Map<string, Wire>();
  made.set(target, known);
  const found = known.get(wire.name) ?? { ...wire, name: target.name };
  known.set(wire.name, found);
  return found;
}
