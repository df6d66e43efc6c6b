import assert from 'node:assert/strict';
import { test } from 'node:test';
import { addressSetOf, parseAddressSet } from './address-set.ts';
import { clientAddress } from './client-address.ts';

const OURS = addressSetOf(['10.0.0.0/8', '2001:db8::/32']);

function seenFrom(remoteAddress: string, forwarded?: string): string {
  const headers = forwarded === undefined ? {} : { 'x-forwarded-for': forwarded };
  // Only this of a socket is read.
  return clientAddress({ headers, socket: { remoteAddress } as never }, OURS);
}

test('an address is what the connection comes from, whatever a stranger writes', () => {
  assert.equal(seenFrom('203.0.113.7'), '203.0.113.7');
  assert.equal(seenFrom('203.0.113.7', '192.0.2.1'), '203.0.113.7');
  assert.equal(seenFrom('::ffff:203.0.113.7', '192.0.2.1'), '203.0.113.7');
});

test('behind trusted proxies it is the last one that none of them is', () => {
  assert.equal(seenFrom('10.1.1.1', '192.0.2.1'), '192.0.2.1');
  assert.equal(seenFrom('::ffff:10.1.1.1', '192.0.2.1, 198.51.100.4, 10.2.2.2'), '198.51.100.4');
  assert.equal(seenFrom('2001:db8::1', '2001:db9::7'), '2001:db9::7');
  assert.equal(seenFrom('10.1.1.1'), '10.1.1.1');
  assert.equal(seenFrom('10.1.1.1', '10.3.3.3'), '10.3.3.3');
});

test('what is no address ends the reading at the proxy that wrote it', () => {
  assert.equal(seenFrom('10.1.1.1', '192.0.2.1, unknown'), '10.1.1.1');
  assert.equal(seenFrom('10.1.1.1', 'x, 10.9.9.9'), '10.9.9.9');
  assert.equal(seenFrom('10.1.1.1', ''), '10.1.1.1');
});

test('addresses and ranges of both families are read, and everything else is named', () => {
  const set = addressSetOf(['192.0.2.0/24', '198.51.100.7', '2001:db8:1::/48', '0.0.0.0/32']);
  for (const address of ['192.0.2.255', '198.51.100.7', '::ffff:192.0.2.9', '2001:db8:1::5', '2001:db8:1:0::5%eth0'])
    assert.ok(set.has(address), address);
  for (const address of ['192.0.3.0', '198.51.100.8', '2001:db8:2::5', '::1', '', 'localhost', '192.0.2.1 '])
    assert.ok(!set.has(address), address);
  for (const unfit of ['', 'localhost', '1.2.3', '1.2.3.4/33', '1.2.3.4/', '1.2.3.4/8/8', '::1/129', '1.2.3.4/-1', '*'])
    assert.deepEqual(parseAddressSet(['10.0.0.1', unfit]), { unfit });
  assert.ok(!addressSetOf(['10.0.0.1', 'nonsense']).has('10.0.0.1'));
});
