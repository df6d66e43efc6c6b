import { parseTag } from '#tags';
import { ApportionError } from '#terms';

/** A key's team is the default of dimension `team`, so it must be a value that dimension can have. Empty for none. */
export function parseTeamId(team: string): string {
  const tag = parseTag(`team:${team}`, 'team_id');
  if (tag === null) return '';
  if (tag.kind === 'dimension') return tag.value;
  throw new ApportionError('invalid_field', 'team_id cannot begin with "//".', { param: 'team_id' });
}
