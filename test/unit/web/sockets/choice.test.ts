import assert from 'node:assert/strict';
import { symlinkSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { HiveError } from '../../../../src/observe/errors.ts';
import { closeServer } from '../../../../src/web/http/http.ts';
import { chooseSockets, nativeHint, type SocketsWanted } from '../../../../src/web/sockets/choice.ts';
import { binaryName, install, loadableBinary, packageFolder } from '../../../support/native-packages.ts';

// What is forced from outside is not meant here.
delete process.env.HIVE_SOCKETS;

test('the official build that the user has goes before all others', {
  skip: loadableBinary() === undefined,
}, async (t) => {
  const from = packageFolder(t);
  const installed = install(from, 'uWebSockets.js', { name: 'uWebSockets.js', version: '20.99.0' });
  symlinkSync(loadableBinary()!, join(installed, binaryName));
  const { library, ...rest } = chooseSockets({ from, forced: undefined });
  assert.deepEqual(rest, { name: 'official', title: 'uWebSockets 20.99.0', version: '20.99.0', refused: [] });
  const app = library.createApp();
  const listening = await app.listen('127.0.0.1', 0);
  assert.ok(listening.port > 0);
  await closeServer(app, listening);
});

test('what cannot be loaded is passed over, and why is remembered', { skip: loadableBinary() === undefined }, (t) => {
  const from = packageFolder(t);
  install(from, 'uWebSockets.js', { name: 'uWebSockets.js', version: '20.99.0' });
  const { name, refused } = chooseSockets({ from, forced: undefined });
  assert.notEqual(name, 'official');
  assert.equal(refused[0]?.name, 'official');
  assert.match(refused[0].reason, /^20\.99\.0 has no build for Node /);
});

test('who has only Node’s own is told how to get better ones, unless that was wanted', (t) => {
  const from = packageFolder(t);
  const forced = chooseSockets({ from, forced: 'node' });
  assert.deepEqual([forced.name, forced.refused, nativeHint(forced)], ['node', [], undefined]);
  const refused = [{ name: '20.30', reason: 'not installed' }] as const;
  assert.match(
    nativeHint({ ...forced, refused }) ?? '',
    /^The sockets are Node's own\. .+ Here: 20\.30: not installed\.$/,
  );
  assert.equal(nativeHint({ ...forced, name: '20.30', refused }), undefined);
});

test('what is forced and cannot be had is an error that says why', (t) => {
  const from = packageFolder(t);
  assert.equal(
    refusal({ from, forced: 'official' }),
    'HIVE_SOCKETS is official, which cannot be had: official: not installed.',
  );
});

test('a name that is none is an error, with those that are', () => {
  assert.equal(
    refusal({ forced: 'uws' }),
    'HIVE_SOCKETS is uws, which is none of official, 20.57, 20.30, native, node.',
  );
});

function refusal(wanted: SocketsWanted): string {
  try {
    chooseSockets(wanted);
  } catch (error) {
    assert.ok(error instanceof HiveError && error.code === 'sockets_unavailable');
    return error.message;
  }
  assert.fail('no error');
}
