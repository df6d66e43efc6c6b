/** What this module tells the operator, in pino's shape: fields first, then a sentence. */
export type Log = {
  info(fields: object, sentence: string): void;
  warn(fields: object, sentence: string): void;
  error(fields: object, sentence: string): void;
};
