import { type z } from 'zod';

/** What a value must be, completing "It must be …". */
export function expectedShape(issue: z.core.$ZodIssue): string {
  if (issue.code === 'invalid_value') return `one of ${issue.values.join(', ')}`;
  if (issue.code === 'invalid_key' || issue.code === 'invalid_element') {
    return expectedShape(issue.issues[0] ?? issue);
  }
  // Zod's own words begin so; others were written for this sentence.
  if (issue.code !== 'invalid_type' || !issue.message.startsWith('Invalid')) return issue.message;
  if (issue.expected === 'record') return 'an object of texts';
  return issue.expected === 'array' ? 'a list' : `a ${issue.expected}`;
}
