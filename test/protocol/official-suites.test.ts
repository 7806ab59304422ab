/**
 * The official suites themselves, where `SUITE` names checkouts of them (several with `:` between): each at the node that owns the
 * sessions, and through a proxy that spreads requests, with each socket library that can be loaded. Needs a build. The tests of
 * official-engine.test.ts and official-socket.test.ts are what they ask for, in our own words, and always run.
 *
 *   git clone https://github.com/socketio/socket.io-protocol && (cd socket.io-protocol/test-suite && npm ci)
 *   SUITE=socket.io-protocol node --import tsx --test test/protocol/official-suites.test.ts
 */
import assert from 'node:assert/strict';
import { delimiter, resolve } from 'node:path';
import { type TestContext, test } from 'node:test';
import { chooseSockets } from '../../src/web/sockets/choice.ts';
import { newEcho } from '../support/engine-echo.ts';
import { OfficialSuite } from '../support/official-suite.ts';
import { RelayCluster } from '../support/relay-cluster.ts';
import { startRelayPair } from '../support/relay-pair.ts';
import { RoundRobin } from '../support/round-robin.ts';
import { loadable } from '../support/socket-libraries.ts';
import { startSuiteBackEnd, suiteSections, suiteSettings } from '../support/suite-back-end.ts';

const times = { ping_interval: 300, ping_timeout: 200, max_payload: 1_000_000, connect_timeout: 1000 };

/** Two nodes that echo the messages of Engine.IO. */
async function startEcho(t: TestContext, sockets: string): Promise<number[]> {
  const parts = { sockets: chooseSockets({ forced: sockets }).library, newMessageLayer: newEcho };
  const settings = { socketio: { ...times, path: '/engine.io' } };
  const { owner, entry } = await startRelayPair(t, settings, [parts, parts]);
  return [owner.server.port, entry.server.port];
}

/** Two nodes with the back end that the suite of Socket.IO wants. */
async function startSocketIo(t: TestContext, sockets: string): Promise<number[]> {
  const backEnd = await startSuiteBackEnd();
  t.after(() => backEnd.stop());
  const runner = { node: process.execPath, sockets };
  const settings = { ...suiteSettings, ...times };
  const cluster = await RelayCluster.start(2, settings, {}, [runner, runner], suiteSections(backEnd));
  t.after(() => cluster.stop());
  return cluster.nodes.map(({ port }) => port);
}

const { SUITE } = process.env;
const skip = SUITE ? false : 'SUITE names no checkout of an official suite';

test('the official suites pass', { skip }, async (t) => {
  for (const checkout of SUITE!.split(delimiter)) {
    const suite = new OfficialSuite(resolve(checkout));
    for (const sockets of loadable) {
      await t.test(`${suite.kind} on the sockets ${sockets}`, async (t) => {
        const ports = await (suite.kind === 'Socket.IO 5' ? startSocketIo : startEcho)(t, sockets);
        const proxy = await RoundRobin.start(ports);
        t.after(() => proxy.stop());
        const places = { 'at the owner': `http://127.0.0.1:${ports[0]}`, 'through a proxy': proxy.url };
        for (const [place, url] of Object.entries(places)) {
          await t.test(place, async (t) => {
            const { passed, skipped, failed } = await suite.run(url);
            t.diagnostic(`${suite.kind}, ${sockets}, ${place}: ${passed} passed, ${skipped} skipped`);
            assert.deepEqual(failed, []);
            assert.ok(passed > 0);
          });
        }
      });
    }
  }
});
