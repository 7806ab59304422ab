import assert from 'node:assert/strict';
import { test } from 'node:test';
import { originFault } from '../../../src/config/origin-forms.ts';
import { Origins } from '../../../src/web/http/origins.ts';

test('what something may match is let pass', () => {
  for (const entry of [
    'https://shop.example',
    'http://127.0.0.1:8081',
    'http://[::1]:3000',
    'https://xn--bcher-kva.example',
    'chrome-extension://abcdefghijklmnop',
    'capacitor://localhost',
    '*',
    '*.*',
    '*.shop.example',
    'http://localhost:*',
    '127.0.0.1:8080',
    'null',
  ]) {
    assert.equal(originFault(entry), undefined, entry);
  }
});

test('what nothing can match is told with what was probably meant', () => {
  const meant: [entry: string, reason: RegExp, suggestion: string | undefined][] = [
    ['shop.example', /starts with https/, 'https://shop.example'],
    ['Shop.example/chat', /starts with https/, 'https://shop.example'],
    ['https://shop.example/', /slash/, 'https://shop.example'],
    ['https://shop.example/chat', /no path/, 'https://shop.example'],
    ['https://shop.example:443', /own port/, 'https://shop.example'],
    ['http://shop.example:80', /own port/, 'http://shop.example'],
    ['https://Shop.Example', /lower case/, 'https://shop.example'],
    ['HTTPS://shop.example', /lower case/, 'https://shop.example'],
    ['https://me@shop.example', /user name/, 'https://shop.example'],
    ['https://bücher.example', /differently/, 'https://xn--bcher-kva.example'],
    ['http://Localhost:*', /lower case/, 'http://localhost:*'],
    ['app://Shop/', /slash/, 'app://shop'],
    ['https://*.shop.example', /wildcards/, '*.shop.example'],
    ['*.shop.example:8080', /wildcards/, undefined],
    ['https://*', /wildcards/, undefined],
    ['https://', /no URL/, undefined],
  ];
  for (const [entry, reason, suggestion] of meant) {
    const fault = originFault(entry);
    assert.match(fault?.reason ?? '', reason, entry);
    assert.equal(fault?.suggestion, suggestion, entry);
    if (suggestion === undefined) continue;
    assert.equal(originFault(suggestion), undefined, suggestion);
    // Whatever it was written for: the browser's own words do not match it.
    const origin = suggestion.replace('*.', 'https://www.').replace(':*', ':81');
    assert.equal(new Origins([suggestion]).allows(origin), true, suggestion);
    assert.equal(new Origins([entry]).allows(origin), false, entry);
  }
});
