import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { ApportionError } from '#terms';
import { readFormText, scanMultipart, type MultipartForm } from './multipart.ts';

const TYPE = 'multipart/form-data; boundary=X-9';

function part(name: string, value: string, more = ''): string {
  return `--X-9\r\nContent-Disposition: form-data; name="${name}"${more}\r\n\r\n${value}\r\n`;
}

function formOf(body: string, type = TYPE): { form: MultipartForm; bytes: Buffer } {
  const bytes = Buffer.from(body, 'latin1');
  return { form: scanMultipart(bytes, type), bytes };
}

const FILE =
  '--X-9\r\ncontent-type: audio/wav\r\nContent-Disposition: form-data; name=file; filename="a \\"b\\".wav"\r\n\r\n' +
  'RIFF\0--X-8\r\n\r\n--\r\n';
const BODY = `${part('model', 'whisper-1')}${FILE}${part('stream', 'true')}--X-9--\r\n`;

test('fields are found with their values, and files with their names', () => {
  const { form, bytes } = formOf(BODY);
  assert.deepEqual([...form.fields.keys()], ['model', 'file', 'stream']);
  assert.equal(readFormText(form, bytes, 'model'), 'whisper-1');
  assert.equal(form.fields.get('file')?.filename, 'a "b".wav');
  const file = form.fields.get('file');
  assert.equal(bytes.toString('latin1', file?.valueStart, file?.valueEnd), 'RIFF\0--X-8\r\n\r\n--');
});

test('the parts and the closing line make up the whole body', () => {
  const { form, bytes } = formOf(`a preamble\r\n${BODY}an epilogue`);
  const parts = form.parts.map(({ start, end }) => bytes.toString('latin1', start, end)).join('');
  assert.equal(`a preamble\r\n${parts}${bytes.toString('latin1', form.close)}`, bytes.toString('latin1'));
});

test('a boundary may be quoted, and names of headers and parameters may be written in any case', () => {
  const { form } = formOf(
    '--a b\r\ncontent-DISPOSITION: Form-Data; NAME="m"\r\n\r\n1\r\n--a b--',
    'Multipart/Form-Data; Boundary="a b"',
  );
  assert.deepEqual([...form.fields.keys()], ['m']);
});

test('a name that repeats is refused only where it is read', () => {
  const { form, bytes } = formOf(`${part('t[]', 'word')}${part('t[]', 'segment')}${part('model', 'a')}--X-9--`);
  assert.deepEqual([form.parts.length, [...form.repeated]], [3, ['t[]']]);
  assert.equal(readFormText(form, bytes, 'model'), 'a');
  assert.throws(
    () => readFormText(form, bytes, 't[]'),
    (error: unknown) => error instanceof ApportionError && error.code === 'duplicate_field',
  );
});

test('a field that must be text is refused as a file', () => {
  const { form, bytes } = formOf(`${part('model', 'a', '; filename="m.txt"')}--X-9--`);
  assert.throws(() => readFormText(form, bytes, 'model'), ApportionError);
});

for (const [problem, body, type] of [
  ['no multipart', BODY, 'application/json'],
  ['no boundary', BODY, 'multipart/form-data'],
  ['a boundary that is not in the body', BODY, 'multipart/form-data; boundary=other'],
  ['two boundaries', BODY, `${TYPE}; boundary=other`],
  ['line feeds alone', BODY.replaceAll('\r\n', '\n'), TYPE],
  ['no closing line', BODY.replace('--X-9--', ''), TYPE],
  ['a boundary that goes on', `${part('model', 'a')}--X-99\r\n`, TYPE],
  ['a field without a name', '--X-9\r\nContent-Disposition: form-data\r\n\r\n1\r\n--X-9--', TYPE],
  ['a field without headers', '--X-9\r\n\r\n1\r\n--X-9--', TYPE],
  ['two names', `${part('model', 'a', '; name="b"')}--X-9--`, TYPE],
  [
    'two dispositions',
    part('model', 'a').replace('\r\n\r\n', '\r\nContent-Disposition: form-data; name=b\r\n\r\n') + '--X-9--',
    TYPE,
  ],
  ['headers that do not end', '--X-9\r\nContent-Disposition: form-data; name="a"\r\n--X-9--', TYPE],
  ['too many fields', part('a', '').repeat(1_001) + '--X-9--', TYPE],
] as const) {
  test(`${problem}: the form is refused with the reason`, () => {
    assert.throws(
      () => scanMultipart(Buffer.from(body), type),
      (error: unknown) =>
        error instanceof ApportionError &&
        error.code === 'invalid_field' &&
        error.message.startsWith('The form cannot be read: '),
    );
  });
}

test('whatever the bytes, a form is read or refused, and cut anywhere it is refused', () => {
  const readOrRefused = (bytes: Buffer): boolean => {
    try {
      scanMultipart(bytes, TYPE);
      return true;
    } catch (error) {
      assert.ok(error instanceof ApportionError);
      return false;
    }
  };
  const end = BODY.length - '--\r\n'.length;
  for (let cut = 0; cut <= end; cut += 1)
    assert.equal(readOrRefused(Buffer.from(BODY.slice(0, cut), 'latin1')), false, `${cut}`);
  const piece = fc.constantFrom(
    '--X-9',
    '\r\n',
    '\r',
    '\n',
    '--',
    'Content-Disposition: form-data; name="model"',
    'a',
    ';',
    '"',
    '\\',
  );
  fc.assert(
    fc.property(fc.array(piece, { maxLength: 40 }), (pieces) => void readOrRefused(Buffer.from(pieces.join('')))),
  );
});

test('every form that is written is read back', () => {
  const field = fc.record(
    { name: fc.stringMatching(/^[a-z_[\]]{1,12}$/), value: fc.uint8Array({ maxLength: 40 }) },
    { noNullPrototype: true },
  );
  fc.assert(
    fc.property(fc.array(field, { maxLength: 8 }), (fields) => {
      const pieces = fields.flatMap(({ name, value }) => [
        Buffer.from(`--b0undary\r\nContent-Disposition: form-data; name="${name}"\r\n\r\n`),
        value,
        Buffer.from('\r\n'),
      ]);
      const bytes = Buffer.concat([...pieces, Buffer.from('--b0undary--\r\n')]);
      const { parts } = scanMultipart(bytes, 'multipart/form-data; boundary=b0undary');
      assert.deepEqual(
        parts.map(({ name, valueStart, valueEnd }) => ({
          name,
          value: new Uint8Array(bytes.subarray(valueStart, valueEnd)),
        })),
        fields,
      );
    }),
  );
});
