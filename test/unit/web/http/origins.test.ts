import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Origins } from '../../../../src/web/http/origins.ts';

const allows = (list: (string | null)[], origin: string) => new Origins(list).allows(origin);

test('an exact origin is that text and no other', () => {
  assert.equal(allows(['https://a.example'], 'https://a.example'), true);
  for (const origin of [
    'http://a.example',
    'https://a.example:444',
    'https://A.example',
    'https://a.example.evil',
    '',
  ]) {
    assert.equal(allows(['https://a.example'], origin), false, origin);
  }
  assert.equal(allows(['null'], 'null'), true);
});

test('a wildcard covers subdomains with any scheme and port, and nothing else', () => {
  for (const origin of ['http://x.a.example', 'https://x.y.a.example:8443', 'HTTPS://X.A.EXAMPLE']) {
    assert.equal(allows(['*.a.example'], origin), true, origin);
  }
  for (const origin of [
    'http://a.example',
    'http://xa.example',
    'http://x.a.example.evil',
    'http://evil/?.a.example',
    'null',
    'x.a.example',
  ]) {
    assert.equal(allows(['*.a.example'], origin), false, origin);
  }
});

test('a star for the port covers every port of that very host, and none', () => {
  const list = ['http://localhost:*'];
  for (const origin of ['http://localhost', 'http://localhost:3000', 'http://localhost:80']) {
    assert.equal(allows(list, origin), true, origin);
  }
  for (const origin of [
    'https://localhost:3000',
    'http://localhost.evil:80',
    'http://localhost:80.evil',
    'http://a.localhost:80',
    'http://localhost:',
    'null',
    '',
  ]) {
    assert.equal(allows(list, origin), false, origin);
  }
});

test('a star is every origin, but not the absence of one', () => {
  assert.equal(allows(['*'], 'http://anything'), true);
  assert.equal(allows(['*.*'], 'http://anything'), true);
  assert.equal(allows(['*'], ''), false);
  assert.equal(allows([null], ''), true);
  assert.equal(allows([null], 'http://anything'), false);
});
