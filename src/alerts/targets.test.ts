import assert from 'node:assert/strict';
import { test } from 'node:test';
import { promisify } from 'node:util';
import { createPoster } from './post.ts';
import { openReceiver } from './receiver.fixture.ts';
import { guardedLookup, isInside, parseTarget, type TargetPolicy } from './targets.ts';

const STRICT: TargetPolicy = { allowPrivate: false, allowedHosts: [] };

for (const address of [
  'http://127.0.0.1/',
  'http://2130706433/',
  'http://0x7f.1/',
  'http://0177.0.0.1/',
  'http://169.254.169.254/latest/meta-data',
  'http://10.0.0.1/',
  'http://172.31.255.1/',
  'http://192.168.1.1/',
  'http://100.64.0.1/',
  'http://0.0.0.0/',
  'http://255.255.255.255/',
  'http://[::1]/',
  'http://[::]/',
  'http://[::ffff:127.0.0.1]/',
  'http://[::ffff:a9fe:a9fe]/',
  'http://[64:ff9b::7f00:1]/',
  'http://[2002:7f00:1::]/',
  'http://[fe80::1]/',
  'http://[fd00:ec2::254]/',
  'http://localhost:4000/',
  'http://LOCALHOST./',
  'http://metadata.google.internal/',
  'http://printer.local/',
  'https://user:secret@example.com/',
  'file:///etc/passwd',
  'gopher://example.com/',
  'not an address',
]) {
  test(`${address} is no address for notifications`, () => {
    assert.throws(() => parseTarget(address, STRICT), { code: 'invalid_field', param: 'url' });
  });
}

test('addresses in the internet are', () => {
  for (const address of ['https://hooks.example.com/x?y=1', 'http://93.184.215.14/', 'https://[2606:2800:21f::1]/'])
    assert.equal(parseTarget(address, STRICT).href, address);
  assert.ok(!isInside('8.8.8.8') && !isInside('2a00:1450:4001::200e'));
});

test('the operator may allow one host, or all', () => {
  assert.ok(parseTarget('http://10.0.0.1/', { allowPrivate: false, allowedHosts: ['10.0.0.1'] }));
  assert.throws(() => parseTarget('http://10.0.0.2/', { allowPrivate: false, allowedHosts: ['10.0.0.1'] }));
  assert.ok(parseTarget('http://10.0.0.2/', { allowPrivate: true, allowedHosts: [] }));
});

test('a name that leads inside is refused at the moment of connecting', async () => {
  const lookup = promisify(guardedLookup(STRICT));
  await assert.rejects(lookup('localhost', { all: true }), { name: 'TargetRefused' });
  await assert.rejects(lookup('localhost', { family: 4 }), { name: 'TargetRefused' });
});

test('what was allowed when a channel was made is looked at again when something is sent', async (context) => {
  const receiver = await openReceiver();
  context.after(receiver.close);
  const poster = createPoster({ policy: STRICT, timeoutMs: 5000 });
  context.after(poster.close);
  for (const url of [receiver.url, receiver.url.replace('127.0.0.1', 'localhost')]) {
    const answer = await poster.post({ url, headers: {}, body: '{}' });
    assert.deepEqual([answer.ok, answer.again], [false, false], answer.text);
  }
  assert.equal(receiver.received.length, 0);
  const open = createPoster({ policy: { allowPrivate: false, allowedHosts: ['localhost'] }, timeoutMs: 5000 });
  context.after(open.close);
  const url = receiver.url.replace('127.0.0.1', 'localhost');
  assert.equal((await open.post({ url, headers: {}, body: '{}' })).ok, true);
});
