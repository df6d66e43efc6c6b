import assert from 'node:assert/strict';
import { test } from 'node:test';
import { brotliCompressSync, deflateSync, gzipSync, zstdCompressSync } from 'node:zlib';
import { decodeBody } from './index.ts';

const BODY = Buffer.from('{"model":"gpt-4o"}');
const limitBytes = 1_000;

test('a body is read in every encoding that is named, whatever the case of the name', async () => {
  const sent: [string | undefined, Buffer][] = [
    [undefined, BODY],
    ['identity', BODY],
    ['gzip', gzipSync(BODY)],
    ['X-GZip', gzipSync(BODY)],
    [' deflate ', deflateSync(BODY)],
    ['br', brotliCompressSync(BODY)],
    ['zstd', zstdCompressSync(BODY)],
  ];
  for (const [encoding, bytes] of sent) assert.deepEqual(await decodeBody(bytes, { encoding, limitBytes }), BODY);
});

test('an encoding that is not known, or not what the bytes are, is refused by name with what would be read', async () => {
  for (const encoding of ['snappy', 'gzip, br', 'gzip']) {
    await assert.rejects(decodeBody(BODY, { encoding, limitBytes }), {
      code: 'unsupported_encoding',
      status: 415,
      param: 'content-encoding',
      hint: 'Send the body plain, or as one of gzip, deflate, br, zstd.',
    });
  }
});

test('a small body that becomes a large one is refused at the limit', async () => {
  const bomb = gzipSync(Buffer.alloc(1_000_000));
  assert.ok(bomb.length < limitBytes * 2);
  await assert.rejects(decodeBody(bomb, { encoding: 'gzip', limitBytes }), { code: 'body_too_large', status: 413 });
});
