/** One field of a form: where the whole part stands in the body, its boundary line included, and where its value does. */
export type FormField = {
  readonly name: string;
  /** The file's name; null for a field that is no file. */
  readonly filename: string | null;
  readonly start: number;
  readonly end: number;
  readonly valueStart: number;
  readonly valueEnd: number;
};

/** A `multipart/form-data` body (RFC 7578), found by its boundary and not copied. */
export type MultipartForm = {
  readonly boundary: string;
  readonly fields: ReadonlyMap<string, FormField>;
};
