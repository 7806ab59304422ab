import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ipAddress, sourceOf } from '../../../src/observe/source.ts';

test('an IPv4 address is its own source, also where it is mapped into IPv6, however that is written', () => {
  for (const address of [
    '192.0.2.9',
    '::ffff:192.0.2.9',
    '::FFFF:c000:209',
    '0000:0000:0000:0000:0000:ffff:c000:0209',
  ]) {
    assert.equal(sourceOf(address), '192.0.2.9');
  }
});

test('an IPv6 address stands for its /64', () => {
  const sources: Record<string, string> = {
    '2001:db8:1:2:3:4:5:6': '2001:db8:1:2::/64',
    '2001:0db8:0001:0002:0000:0000:0000:0001': '2001:db8:1:2::/64',
    '2001:db8::1': '2001:db8:0:0::/64',
    '2001:db8:0:0:1::': '2001:db8:0:0::/64',
    '::1': '0:0:0:0::/64',
    '::': '0:0:0:0::/64',
    'fe80::1%eth0': 'fe80:0:0:0::/64',
    '1:2:3::': '1:2:3:0::/64',
  };
  for (const [address, source] of Object.entries(sources)) assert.equal(sourceOf(address), source, address);
});

test('what is no address is its own source', () => {
  for (const text of ['', 'an unknown address', 'a:b', '1.2.3']) assert.equal(sourceOf(text), text);
  assert.equal(ipAddress('unknown'), undefined);
});
