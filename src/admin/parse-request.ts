import type { z } from 'zod';
import { ApportionError } from '#terms';

/** Throws `invalid_field` naming the parameter at fault. */
export function parseRequest<T>(
  value: unknown,
  { schema, hint }: { readonly schema: z.ZodType<T>; readonly hint: string },
): T {
  const parsed = schema.safeParse(value);
  if (parsed.success) return parsed.data;
  const [issue] = parsed.error.issues;
  const param = issue === undefined || issue.path.length === 0 ? null : issue.path.join('.');
  throw new ApportionError('invalid_field', `${param ?? 'The request'}: ${issue?.message ?? 'not understood'}.`, {
    ...(param === null ? {} : { param }),
    hint,
  });
}
