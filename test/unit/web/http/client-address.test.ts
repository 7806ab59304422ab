import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parseSubnet } from '../../../../src/config/subnets.ts';
import { clientAddress, TrustedProxies } from '../../../../src/web/http/client-address.ts';
import type { HttpRequest, HttpResponse } from '../../../../src/web/http/http.ts';

const trusted = TrustedProxies.of(['10.0.0.0/8', '2001:db8:ffff::/48', '192.0.2.1']);

type Header = readonly [name: string, value: string];

function addressOf(
  peer: string,
  headers: readonly Header[],
  options: { proxied?: string; proxies?: null } = {},
): string {
  const { proxied = '', proxies = trusted } = options;
  const res = {
    getRemoteAddressAsText: () => new TextEncoder().encode(peer).buffer,
    getProxiedRemoteAddressAsText: () => new TextEncoder().encode(proxied).buffer,
  } as unknown as HttpResponse;
  const forEach = (callback: (name: string, value: string) => void) => {
    for (const [name, value] of headers) callback(name, value);
  };
  return clientAddress(res, { forEach } as HttpRequest, proxies ?? undefined);
}

const forwardedFor = (peer: string, value: string) => addressOf(peer, [['x-forwarded-for', value]]);
const forwarded = (peer: string, value: string) => addressOf(peer, [['forwarded', value]]);

test('without trusted proxies, and from others than them, headers are not believed', () => {
  const headers: Header[] = [
    ['x-forwarded-for', '203.0.113.5'],
    ['forwarded', 'for=203.0.113.5'],
  ];
  assert.equal(TrustedProxies.of([]), undefined);
  assert.equal(addressOf('10.0.0.1', headers, { proxies: null }), '10.0.0.1');
  assert.equal(addressOf('198.51.100.1', headers), '198.51.100.1');
  assert.equal(addressOf('198.51.100.1', [], { proxied: '203.0.113.5' }), '198.51.100.1');
});

test('the client is the rightmost address that is not trusted', () => {
  assert.equal(forwardedFor('10.0.0.1', '203.0.113.5'), '203.0.113.5');
  assert.equal(forwardedFor('10.0.0.1', '192.0.2.99, 203.0.113.5 , 10.0.0.2'), '203.0.113.5');
  assert.equal(forwardedFor('::ffff:10.0.0.1', 'nonsense, 203.0.113.5:4711,192.0.2.1'), '203.0.113.5');
  assert.equal(forwardedFor('2001:db8:ffff::1', '2001:DB8:0::1'), '2001:db8::1');
  assert.equal(forwardedFor('10.0.0.1', '[2001:db8::1]:80, [2001:db8:ffff::2]'), '2001:db8::1');
  assert.equal(forwardedFor('10.0.0.1', '10.0.0.3, 10.0.0.2'), '10.0.0.3');
  // HAProxy adds a header of its own behind those that were there.
  const lines: Header[] = [
    ['x-forwarded-for', '192.0.2.99'],
    ['x-forwarded-for', '203.0.113.5'],
  ];
  assert.equal(addressOf('10.0.0.1', lines), '203.0.113.5');
});

test('Forwarded is understood as of RFC 7239', () => {
  assert.equal(forwarded('10.0.0.1', 'for=203.0.113.5'), '203.0.113.5');
  assert.equal(forwarded('10.0.0.1', 'For="[2001:db8:cafe::17]:4711";proto=https;by=10.0.0.1'), '2001:db8:cafe::17');
  assert.equal(
    forwarded('10.0.0.1', 'for=192.0.2.43, for="203.0.113.5"; host="a,b;c\\"d" , for=10.0.0.2'),
    '203.0.113.5',
  );
  assert.equal(forwarded('10.0.0.1', 'for=192.0.2.43, for=203.0.113.5, proto=http'), '10.0.0.1');
});

test('where nobody can tell, it is who has connected', () => {
  for (const value of [
    '',
    'unknown',
    '203.0.113.5, unknown',
    '203.0.113.5,',
    '203.0.113.5 4711',
    '1.2.3',
    '203.0.113.5:x',
  ]) {
    assert.equal(forwardedFor('10.0.0.1', value), '10.0.0.1', value);
  }
  for (const value of [
    '203.0.113.5',
    'for=unknown',
    'for=_hidden',
    'for="203.0.113.5',
    'for=203.0.113.5 x',
    'for=[2001:db8::1]',
  ]) {
    assert.equal(forwarded('10.0.0.1', value), '10.0.0.1', value);
  }
  assert.equal(forwarded('10.0.0.1', `${' '.repeat(16_000)}"`), '10.0.0.1');
});

test('two headers must name the same client: proxies pass on the one that they do not write', () => {
  const both = (one: string, other: string) =>
    addressOf('10.0.0.1', [
      ['forwarded', one],
      ['x-forwarded-for', other],
    ]);
  assert.equal(both('for=203.0.113.5', '203.0.113.5'), '203.0.113.5');
  assert.equal(both('for=192.0.2.99', '203.0.113.5'), '10.0.0.1');
  assert.equal(both('nonsense', '203.0.113.5'), '10.0.0.1');
});

test('the PROXY protocol is believed from trusted proxies, and the headers of one that it names', () => {
  assert.equal(addressOf('10.0.0.1', [], { proxied: '203.0.113.5' }), '203.0.113.5');
  const header: Header[] = [['x-forwarded-for', '203.0.113.7']];
  assert.equal(addressOf('10.0.0.1', header, { proxied: '203.0.113.5' }), '203.0.113.5');
  assert.equal(addressOf('10.0.0.1', header, { proxied: '0000:0000:0000:0000:0000:ffff:0a00:0002' }), '203.0.113.7');
});

test('ranges are those of their family', () => {
  assert.deepEqual(parseSubnet('::ffff:10.0.0.0/104'), { address: '10.0.0.0', family: 'ipv4', prefix: 8 });
  assert.deepEqual(parseSubnet('10.1.2.3'), { address: '10.1.2.3', family: 'ipv4', prefix: 32 });
  assert.deepEqual(parseSubnet('2001:DB8::/32'), { address: '2001:db8::', family: 'ipv6', prefix: 32 });
  for (const text of [
    '',
    'proxy',
    '10.0.0.0/33',
    '10.0.0/8',
    '::/129',
    '10.0.0.0/-1',
    '10.0.0.0/8/8',
    '::ffff:10.0.0.0/8',
    'fe80::1%eth0',
  ]) {
    assert.equal(parseSubnet(text), undefined, text);
  }
});
