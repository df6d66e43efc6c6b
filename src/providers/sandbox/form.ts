const BLANK_LINE = '\r\n\r\n';

/** The value of a form's field (RFC 7578), null when it has none; enough of a parser for forms that clients write. */
export function readFormField(form: Buffer, name: string): Buffer | null {
  const boundaryEnd = form.indexOf('\r\n');
  const boundary = form.subarray(0, boundaryEnd);
  const at = boundaryEnd <= 0 ? -1 : form.indexOf(` name="${name}"`);
  const start = at === -1 ? -1 : form.indexOf(BLANK_LINE, at);
  if (start === -1) return null;
  const from = start + BLANK_LINE.length;
  const end = form.indexOf(boundary, from);
  return end === -1 ? null : form.subarray(from, Math.max(from, end - '\r\n'.length));
}
