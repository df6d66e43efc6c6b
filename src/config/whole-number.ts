import { z } from 'zod';

export function wholeNumber(min: number, max: number): z.ZodInt {
  const shape = `a whole number from ${min} to ${max}`;
  return z.int(shape).min(min, shape).max(max, shape);
}
