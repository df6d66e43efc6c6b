import { type DeclarationDraft } from './declaration.ts';
import { decodePercent } from './header-text.ts';

/**
 * W3C `baggage`: `key=value;property, …`, values percent-encoded. Only the keys an operator allows are tags: the header
 * passes through many services, and what else is in it is none of ours.
 */
export function readBaggage(draft: DeclarationDraft, text: string, name: string): void {
  const { baggage } = draft.rules;
  if (baggage.size === 0) return;
  for (const member of text.split(',')) {
    const equals = member.indexOf('=');
    const key = member.slice(0, Math.max(equals, 0)).trim();
    if (!baggage.has(key)) continue;
    const [value = ''] = member.slice(equals + 1).split(';');
    draft.addDimension({ key, text: decodePercent(value, name) }, name);
  }
}
