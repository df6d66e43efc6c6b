import { z } from 'zod';

/** Texts by the key of a tag. Zod's record would leave out what is called `__proto__`, which is a key like any other. */
export const textsByKey = z.custom<Readonly<Record<string, string>>>(
  (json) =>
    typeof json === 'object' &&
    json !== null &&
    !Array.isArray(json) &&
    Object.values(json).every((value) => typeof value === 'string'),
);
