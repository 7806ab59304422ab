import assert from 'node:assert/strict';
import { symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { type NativePackage, tryPackage } from '../../../../src/web/sockets/native.ts';
import { binaryName, install, loadableBinary, packageFolder } from '../../../support/native-packages.ts';

/** A package that Hive itself has not. */
const some: NativePackage = { name: '@some/sockets', aliases: ['uWebSockets.js'], folder: '.' };
const isLinux = process.platform === 'linux';

test('a package is known by its own name, whatever it is installed as', (t) => {
  const from = packageFolder(t);
  install(from, 'uWebSockets.js', { name: '@else/sockets', version: '1.0.0' });
  assert.equal(refusal(from), 'not installed');
  install(from, 'uWebSockets.js', { name: '@some/sockets', version: '1.0.0' });
  assert.match(refusal(from), /^1\.0\.0 has no build for Node \S+ \(ABI \d+\) on \w+ \w+$/);
  install(from, '@some/sockets', { name: '@some/sockets', version: '2.0.0' });
  assert.match(refusal(from), /^1\.0\.0 has no build .+, 2\.0\.0 has no build /);
});

test('a package whose manifest cannot be read is none', (t) => {
  const from = packageFolder(t);
  writeFileSync(join(install(from, 'uWebSockets.js', some as never), 'package.json'), '{');
  assert.equal(refusal(from), 'not installed');
});

test('what is older than wanted is refused', (t) => {
  const from = packageFolder(t);
  install(from, 'uWebSockets.js', { name: '@some/sockets', version: '20.56.3' });
  assert.equal(refusal(from, { version: [20, 57] }), '20.56.3 is older than 20.57');
  assert.match(refusal(from, { version: [20, 56] }), /^20\.56\.3 has no build /);
  assert.match(refusal(from, { version: [19, 99] }), /^20\.56\.3 has no build /);
});

test('another C library, or one too old, is told before anything is loaded', { skip: !isLinux }, (t) => {
  const from = withFile(t, (file) => writeFileSync(file, 'no library'));
  const report = t.mock.method(process.report, 'getReport', () => ({ header: { glibcVersionRuntime: '2.37' } }));
  assert.equal(refusal(from, { glibc: [2, 38] }), '1.0.0 needs glibc 2.38, this system has 2.37');
  assert.match(refusal(from, { glibc: [2, 37] }), /^1\.0\.0 cannot be loaded: /);
  report.mock.mockImplementation(() => ({ header: {} }));
  assert.equal(refusal(from), '1.0.0 needs glibc, which this system has not');
});

test('what loading throws is the reason', (t) => {
  const from = withFile(t, (file) => writeFileSync(file, 'no library'));
  assert.match(refusal(from), /^1\.0\.0 cannot be loaded: .+$/);
});

test('what is found is loaded, and told its version', { skip: loadableBinary() === undefined }, (t) => {
  const from = withFile(t, (file) => symlinkSync(loadableBinary()!, file));
  const tried = tryPackage(some, from);
  assert.ok('module' in tried);
  assert.equal(tried.version, '1.0.0');
  assert.equal(typeof tried.module.us_socket_local_port, 'function');
  assert.equal(process.env.UWS_HTTP_MAX_HEADERS_SIZE, undefined);
});

function refusal(from: string, wanted: Partial<NativePackage> = {}): string {
  const tried = tryPackage({ ...some, ...wanted }, from);
  assert.ok('reason' in tried);
  return tried.reason;
}

function withFile(t: TestContext, make: (file: string) => void): string {
  const from = packageFolder(t);
  make(join(install(from, 'uWebSockets.js', { name: some.name, version: '1.0.0' }), binaryName));
  return from;
}
