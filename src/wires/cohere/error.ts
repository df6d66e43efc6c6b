import { factsOf, type ApportionError } from '#terms';

/** Cohere's error: a message alone; ours beside it. */
export function toCohereError(error: ApportionError): Readonly<Record<string, unknown>> {
  const { message, hint, code, param } = error;
  return { message: hint === null ? message : `${message} ${hint}`, code, hint, param, ...factsOf(error) };
}

/** The event that ends a stream which failed. */
export function cohereErrorEvent(error: ApportionError): Buffer {
  return Buffer.from(`event: error\ndata: ${JSON.stringify({ type: 'error', ...toCohereError(error) })}\n\n`);
}
