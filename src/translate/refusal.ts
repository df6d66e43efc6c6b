import { ApportionError } from '#terms';

/** What the provider's dialect has no word for: refused by name before anything is sent. */
export function unsayable(param: string, why: string, hint?: string): ApportionError {
  return new ApportionError('invalid_field', `The field ${param} cannot be translated: ${why}.`, {
    param,
    hint: hint ?? 'Leave it out, or call a model of a provider that takes this format (docs/translation.md).',
  });
}

/** A field that is not what the caller's dialect says it is. */
export function malformed(param: string, shape: string): ApportionError {
  return new ApportionError('invalid_field', `The field ${param} must be ${shape}.`, { param });
}
