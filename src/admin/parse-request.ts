import type { z } from 'zod';
import { ApportionError } from '#terms';

/** Throws `invalid_field` naming the parameter at fault. */
export function parseRequest<T>(
  value: unknown,
  { schema, hint }: { readonly schema: z.ZodType<T>; readonly hint: string },
): T {
  const parsed = schema.safeParse(value);
  if (parsed.success) return parsed.data;
  const { param, problem } = faultOf(parsed.error.issues[0]);
  throw new ApportionError('invalid_field', `${param === '' ? 'The request' : param}: ${problem}.`, {
    ...(param === '' ? {} : { param }),
    hint,
  });
}

function faultOf(issue: z.core.$ZodIssue | undefined): { readonly param: string; readonly problem: string } {
  if (issue?.code === 'unrecognized_keys')
    return { param: [...issue.path, issue.keys[0] ?? ''].join('.'), problem: 'nothing of that name is known here' };
  const problem = issue?.message ?? 'not understood';
  return {
    param: issue?.path.join('.') ?? '',
    problem: problem.endsWith('received undefined') ? 'it is missing' : problem,
  };
}
