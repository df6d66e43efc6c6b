import type { Finding } from '../../api/tags.ts';
import { formatCount } from '../../money/quantity.ts';

const PLACES: Readonly<Record<string, string>> = {
  key: 'keys',
  label: 'labels',
  path: 'paths',
  session: 'session ids',
};

const DIFFERENCES: Readonly<Record<string, string>> = {
  case: 'differ only in case',
  style: 'differ only in style',
  spelling: 'differ by a letter or two',
};

const DETECTED: Readonly<Record<string, string>> = {
  email: 'e-mail addresses',
  phone: 'phone numbers',
  card: 'card numbers',
  secret: 'secrets',
};

/** What is odd, in one sentence, and what to do about it in another. */
export function findingWords(finding: Finding): { readonly what: string; readonly advice: string } {
  const place = finding.key === null ? (PLACES[finding.at] ?? finding.at) : `values of ${finding.key}`;
  switch (finding.kind) {
    case 'similar':
      return {
        what: `${capital(place)} that ${DIFFERENCES[finding.difference ?? ''] ?? 'resemble each other'}`,
        advice: finding.suggestion === null ? '' : `Most calls say ${finding.suggestion}.`,
      };
    case 'many_values':
      return {
        what: `${finding.key ?? place} has about ${formatCount(finding.distinct_values ?? finding.total_items)} values`,
        advice: 'It looks like an id: no report can show it. Send it as session id, or leave it out.',
      };
    case 'personal_data':
      return {
        what: `${capital(place)} that look like ${finding.detected.map((kind) => DETECTED[kind] ?? kind).join(', ')}`,
        advice: 'Send a stable id instead. The tag policy can mask or reject them.',
      };
    default:
      return { what: `${capital(place)}: ${finding.kind.replaceAll('_', ' ')}`, advice: '' };
  }
}

function capital(text: string): string {
  return text.charAt(0).toUpperCase() + text.slice(1);
}
