import { type z } from 'zod';
import { type ConfigFile } from './config-file.ts';
import { type ConfigProblem } from './problem.ts';

/** What does not fit the schema of the value at `path`, each with its place in the file. */
export function schemaProblems(
  error: z.ZodError | undefined,
  at: { readonly file: ConfigFile; readonly path: readonly (string | number)[] },
): ConfigProblem[] {
  return (error?.issues ?? []).map((issue) => {
    const path = [...at.path, ...issue.path.map((step) => (typeof step === 'number' ? step : String(step)))];
    return {
      setting: at.file.named(path),
      what: 'this value does not fit',
      fix: `It must be ${expectedShape(issue)}.`,
    };
  });
}

/** A place in the file as it is written in code: `models.fast.deployments[0]`. */
export function dotted(path: readonly (string | number)[]): string {
  return path.map((step, index) => (typeof step === 'number' ? `[${step}]` : index === 0 ? step : `.${step}`)).join('');
}

/** What a value must be, completing "It must be …". */
function expectedShape(issue: z.core.$ZodIssue): string {
  if (issue.code === 'invalid_value') return `one of ${issue.values.join(', ')}`;
  if (issue.code === 'invalid_key' || issue.code === 'invalid_element') {
    return expectedShape(issue.issues[0] ?? issue);
  }
  // Zod's own words begin so; others were written for this sentence.
  if (issue.code !== 'invalid_type' || !issue.message.startsWith('Invalid')) return issue.message;
  if (issue.expected === 'record') return 'an object of texts';
  return issue.expected === 'array' ? 'a list' : `a ${issue.expected}`;
}
