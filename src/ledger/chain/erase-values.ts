import { isPlaceholder, openIdentity, partSaltsText, placeholderOf } from './entry-digest.ts';
import { identityOf } from './identity.ts';

/**
 * The entry without the values at these paths and without their salts; its digest stays. Null when it carries none of them. An entry that
 * has no salt loses the values all the same, and its digest changes: nothing could prove it without keeping what is to be erased.
 */
export function eraseValues(body: Buffer, paths: ReadonlySet<string>): Buffer | null {
  const found = openIdentity(body);
  if (found === null) return eraseUnsalted(body, paths);
  const { units, salt, digests, salts } = found;
  const goes = units.map(({ path }, place) => paths.has(path) && salts[place] !== null);
  if (!goes.includes(true)) return null;
  const left = salts.map((own, place) => (goes[place] === true ? null : own));
  const edits = units.flatMap(({ path, start, end }, place) =>
    goes[place] === true ? [{ start, end, text: placeholderOf(path) }] : [],
  );
  return edited(body, [...edits, { ...salt, text: partSaltsText(units, digests, left) }]);
}

function eraseUnsalted(body: Buffer, paths: ReadonlySet<string>): Buffer | null {
  const units = identityOf(body)?.units ?? [];
  const gone = units.filter((unit) => paths.has(unit.path) && !isPlaceholder(body, unit));
  if (gone.length === 0) return null;
  return edited(
    body,
    gone.map(({ path, start, end }) => ({ start, end, text: placeholderOf(path) })),
  );
}

type Edit = { readonly start: number; readonly end: number; readonly text: string };

function edited(body: Buffer, edits: readonly Edit[]): Buffer {
  const parts: Buffer[] = [];
  let at = 0;
  for (const { start, end, text } of edits.toSorted((left, right) => left.start - right.start)) {
    parts.push(body.subarray(at, start), Buffer.from(text, 'latin1'));
    at = end;
  }
  parts.push(body.subarray(at));
  return Buffer.concat(parts);
}
