import { ApportionError } from '#terms';

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
  /** The first field of each name. */
  readonly fields: ReadonlyMap<string, FormField>;
  /** Every field, in order: some names repeat (`timestamp_granularities[]`). */
  readonly parts: readonly FormField[];
  /** Names that are there more than once. */
  readonly repeated: ReadonlySet<string>;
  /** Where the closing boundary line begins. */
  readonly close: number;
};

/** More fields than any API takes; each costs time, whatever its size. */
const PARTS_MAX = 1_000;

const HEADERS_BYTES_MAX = 16 * 1024;

/** RFC 2046: 1 to 70 of these, not ending in a space. */
const BOUNDARY = /^[\w'()+,\-./:=? ]{0,69}[\w'()+,\-./:=?]$/;

function unreadable(at: number, problem: string): ApportionError {
  return new ApportionError('invalid_field', `The form cannot be read: ${problem}, at byte ${at}.`, {
    hint: 'Send multipart/form-data as RFC 7578 has it.',
  });
}

/**
 * Finds the fields of a form. Strict where parsers differ (line ends, names given twice): what is metered must be what the
 * provider reads. A form that cannot be read is refused with the place and the reason.
 */
export function scanMultipart(bytes: Buffer, contentType: string): MultipartForm {
  return scan(bytes, readBoundary(contentType));
}

/** The text of a field; undefined when it is not there. Refused when it is there twice: which one would the provider read? */
export function readFormText(form: MultipartForm, bytes: Buffer, name: string): string | undefined {
  const field = form.fields.get(name);
  if (field === undefined) return undefined;
  if (form.repeated.has(name))
    throw new ApportionError('duplicate_field', `The field ${name} is in the request twice.`, {
      param: name,
      hint: 'Send each field once.',
    });
  if (field.filename !== null)
    throw new ApportionError('invalid_field', `The field ${name} must be text, not a file.`, { param: name });
  return bytes.toString('utf8', field.valueStart, field.valueEnd);
}

function readBoundary(contentType: string): string {
  const [type = ''] = contentType.split(';', 1);
  if (type.trim().toLowerCase() !== 'multipart/form-data') throw unreadable(0, 'it is no multipart/form-data');
  const boundary = readParameters(contentType.slice(type.length), 0).get('boundary');
  if (boundary === undefined || !BOUNDARY.test(boundary))
    throw unreadable(0, 'the content-type names no usable boundary');
  return boundary;
}

function scan(bytes: Buffer, boundary: string): MultipartForm {
  const line = `--${boundary}`;
  const fields = new Map<string, FormField>();
  const repeated = new Set<string>();
  const parts: FormField[] = [];
  let start = findFirst(bytes, line);
  for (;;) {
    const after = start + line.length;
    if (bytes.toString('latin1', after, after + 2) === '--') return { boundary, fields, parts, repeated, close: start };
    if (parts.length === PARTS_MAX) throw unreadable(start, `there are more than ${PARTS_MAX} fields`);
    const field = readPart(bytes, { start, after, line });
    parts.push(field);
    if (fields.has(field.name)) repeated.add(field.name);
    else fields.set(field.name, field);
    start = field.end;
  }
}

/** A preamble before the first boundary is legal, and nobody reads it. */
function findFirst(bytes: Buffer, line: string): number {
  if (bytes.toString('latin1', 0, line.length) === line) return 0;
  const at = bytes.indexOf(`\r\n${line}`);
  if (at === -1) throw unreadable(0, 'its boundary is not in the body');
  return at + 2;
}

type Opening = { readonly start: number; readonly after: number; readonly line: string };

function readPart(bytes: Buffer, { start, after, line }: Opening): FormField {
  const headersAt = bytes.indexOf('\r\n', after);
  if (headersAt === -1 || bytes.toString('latin1', after, headersAt).trim() !== '')
    throw unreadable(after, 'a boundary line does not end in a line break');
  // An empty header block is one line break; fields without headers have no name, which is found below.
  const headersEnd = bytes.indexOf('\r\n\r\n', headersAt);
  if (headersEnd === -1 || headersEnd - headersAt > HEADERS_BYTES_MAX)
    throw unreadable(headersAt, 'the headers of a field do not end');
  const valueStart = headersEnd + 4;
  const valueEnd = bytes.indexOf(`\r\n${line}`, headersEnd + 2);
  if (valueEnd === -1) throw unreadable(bytes.length, 'the body ends inside a field');
  if (valueEnd < valueStart) throw unreadable(headersAt, 'the headers of a field do not end');
  const named = readDisposition(bytes.toString('utf8', headersAt + 2, headersEnd), start);
  return { ...named, start, end: valueEnd + 2, valueStart, valueEnd };
}

function readDisposition(headers: string, at: number): Pick<FormField, 'name' | 'filename'> {
  const lines = headers.split('\r\n').filter((line) => /^content-disposition[ \t]*:/i.test(line));
  const [line] = lines;
  if (line === undefined || lines.length > 1) throw unreadable(at, 'a field must have one content-disposition header');
  const value = line.slice(line.indexOf(':') + 1);
  const [kind = ''] = value.split(';', 1);
  if (kind.trim().toLowerCase() !== 'form-data') throw unreadable(at, 'a field is no form-data');
  const parameters = readParameters(value.slice(kind.length), at);
  const name = parameters.get('name');
  if (name === undefined) throw unreadable(at, 'a field has no name');
  return { name, filename: parameters.get('filename') ?? null };
}

const PARAMETER = /;[ \t]*([\w!#$%&'*+.^`|~-]+)[ \t]*=[ \t]*(?:"((?:[^"\\]|\\.)*)"|([^\s";]*))[ \t]*/y;

function readParameters(text: string, at: number): ReadonlyMap<string, string> {
  const parameters = new Map<string, string>();
  PARAMETER.lastIndex = 0;
  let end = 0;
  for (let match = PARAMETER.exec(text); match !== null; match = PARAMETER.exec(text)) {
    const [, key = '', quoted, token = ''] = match;
    const name = key.toLowerCase();
    if (parameters.has(name)) throw unreadable(at, `a header says ${name} twice`);
    parameters.set(name, quoted === undefined ? token : unescapeQuoted(quoted));
    end = PARAMETER.lastIndex;
  }
  if (text.slice(end).replace(/;/g, '').trim() !== '') throw unreadable(at, 'a header cannot be read');
  return parameters;
}

/** Browsers write `%22`, others a backslash; both mean the quote. */
function unescapeQuoted(text: string): string {
  return text.replace(/\\(.)/g, '$1').replaceAll('%22', '"').replaceAll('%0D', '\r').replaceAll('%0A', '\n');
}
