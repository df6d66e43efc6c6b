import type { CleanLine } from '#batches';
import type { RequestBody, Wire } from '#wires';
import { OUR_FIELDS } from '../our-fields.ts';
import type { Tagging } from '../tagging.ts';

/** One line's request without what is ours, as a call of its own would go to the provider. */
export function cleanLine(tagging: Tagging, body: RequestBody, { wire }: { readonly wire: Wire }): CleanLine {
  const { fields, forwardMetadata } = tagging.readLine(body);
  const touched = forwardMetadata.action !== 'keep' || [...body.members.keys()].some((name) => OUR_FIELDS.has(name));
  if (!touched) return { fields, body: body.bytes };
  const edit = { model: '', askUsage: false, drop: OUR_FIELDS, metadata: forwardMetadata };
  return { fields, body: wire.writeRequest(body, edit) };
}
