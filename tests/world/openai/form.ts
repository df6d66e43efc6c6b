import type { Received, Refusal } from '../dialect.ts';
import { refusal, unknownParameter } from './refusals.ts';

/** A multipart form: its texts by name, and its files. */
export type Form = {
  readonly texts: Readonly<Record<string, string>>;
  readonly files: readonly { readonly name: string; readonly file: File }[];
};

/** A form without fields the route does not take. `name[]` is the field `name`, several times. */
export async function readForm(received: Received, known: ReadonlySet<string>): Promise<Form | Refusal> {
  const type = received.headers['content-type'] ?? '';
  if (!type.startsWith('multipart/form-data')) return refusal(400, 'Expected a multipart/form-data body.');
  const parsed = await new Response(new Uint8Array(received.body), { headers: { 'content-type': type } })
    .formData()
    .catch(() => null);
  if (parsed === null) return refusal(400, 'Could not parse multipart form');
  const texts: Record<string, string> = {};
  const files: { name: string; file: File }[] = [];
  for (const [written, value] of parsed) {
    const name = written.replace(/\[.*\]$/, '');
    if (!known.has(name)) return unknownParameter(written);
    if (typeof value === 'string') texts[name] = value;
    else files.push({ name, file: value });
  }
  return { texts, files };
}
