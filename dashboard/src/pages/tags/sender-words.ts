import type { TagKey } from '../../api/tags.ts';
import { UNKNOWN_AMOUNT } from '../../money/money.ts';

/** `backend`, `backend, batch`, `backend +4`: which keys send a tag, those that send most of it first. */
export function senderWords({ senders, sent_by }: Pick<TagKey, 'senders' | 'sent_by'>): string {
  const [first, second] = sent_by;
  if (first === undefined) return UNKNOWN_AMOUNT;
  if (second === undefined) return first.key_name;
  return senders === 2 ? `${first.key_name}, ${second.key_name}` : `${first.key_name} +${senders - 1}`;
}
