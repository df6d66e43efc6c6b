import { promisify } from 'node:util';
import { brotliDecompress, gunzip, inflate, zstdDecompress } from 'node:zlib';
import { ApportionError } from '#terms';
import { tooLarge } from './read-body.ts';

type Decode = (bytes: Buffer, limit: { readonly maxOutputLength: number }) => Promise<Buffer>;

const DECODERS: ReadonlyMap<string, Decode> = new Map<string, Decode>([
  ['gzip', promisify(gunzip)],
  ['x-gzip', promisify(gunzip)],
  ['deflate', promisify(inflate)],
  ['br', promisify(brotliDecompress)],
  ['zstd', promisify(zstdDecompress)],
]);

const CODINGS = Array.from(DECODERS.keys()).filter((name) => !name.startsWith('x-'));

/**
 * A body as it was before its `Content-Encoding` (RFC 9110, section 8.4): what is metered must be read, and providers get it
 * plain. The limit holds for the decoded bytes, so that a small body cannot become a large one.
 * @throws ApportionError `unsupported_encoding`, `body_too_large`
 */
export async function decodeBody(
  bytes: Buffer,
  { encoding, limitBytes }: { readonly encoding: string | undefined; readonly limitBytes: number },
): Promise<Buffer> {
  const coding = encoding?.trim().toLowerCase() ?? '';
  if (coding === '' || coding === 'identity' || bytes.length === 0) return bytes;
  const decode = DECODERS.get(coding);
  if (decode === undefined) throw unsupported(`The content-encoding ${JSON.stringify(coding)} is not read here.`);
  try {
    return await decode(bytes, { maxOutputLength: limitBytes });
  } catch (error) {
    if (error instanceof RangeError) throw tooLarge(limitBytes);
    throw unsupported(`The body is not what its content-encoding ${coding} says.`);
  }
}

function unsupported(message: string): ApportionError {
  return new ApportionError('unsupported_encoding', message, {
    param: 'content-encoding',
    hint: `Send the body plain, or as one of ${CODINGS.join(', ')}.`,
  });
}
