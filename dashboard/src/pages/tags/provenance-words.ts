import type { TagKeyPage } from '../../api/tags.ts';
import { formatShare } from '../../money/quantity.ts';

/** How the values came to be there, by calls: `declared`, or `92% declared, 8% locked`. */
export function provenanceWords(provenance: TagKeyPage['provenance']): string {
  const [first, ...others] = provenance;
  if (first === undefined) return '';
  if (others.length === 0) return `all of it ${first.provenance}`;
  const calls = provenance.reduce((sum, each) => sum + each.calls, 0);
  return provenance.map((each) => `${formatShare(each.calls / calls)} ${each.provenance}`).join(', ');
}
