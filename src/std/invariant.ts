/** A broken invariant is a bug of ours: fail this call, never guess on. */
export class InvariantError extends Error {
  override readonly name = 'InvariantError';
}

export function invariant(holds: boolean, what: string): asserts holds {
  if (!holds) throw new InvariantError(`invariant broken: ${what}`);
}
