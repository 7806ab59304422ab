/**
 * One name that does not resolve kept the threads in which all names are looked up: four requests to it, and a healthy pool at
 * `localhost` had "no connection within 2000 ms".
 */
import assert from 'node:assert/strict';
import type { LookupAddress } from 'node:dns';
import { once } from 'node:events';
import { createServer } from 'node:http';
import { type AddressInfo, connect } from 'node:net';
import { test } from 'node:test';
import { Lookups, lookup } from '../../../src/kernel/lookups.ts';

/** The system's look-ups, answered by the test, two at a time as libuv does it. */
class System {
  readonly asked: string[] = [];
  maxAtOnce = 0;
  readonly #running = new Map<string, (error: NodeJS.ErrnoException | null, addresses: LookupAddress[]) => void>();
  now = 0;
  readonly lookups = new Lookups(
    (name, _options, done) => {
      this.asked.push(name);
      assert.ok(!this.#running.has(name), `${name} is being looked up already`);
      this.#running.set(name, done);
      this.maxAtOnce = Math.max(this.maxAtOnce, this.#running.size);
    },
    () => this.now,
  );

  get running(): string[] {
    return [...this.#running.keys()];
  }

  found(name: string, ...addresses: string[]): void {
    const done = this.#running.get(name)!;
    this.#running.delete(name);
    done(
      null,
      addresses.map((address) => ({ address, family: address.includes(':') ? 6 : 4 })),
    );
  }

  failed(name: string): void {
    const done = this.#running.get(name)!;
    this.#running.delete(name);
    done(Object.assign(new Error(`getaddrinfo EAI_AGAIN ${name}`), { code: 'EAI_AGAIN' }), []);
  }

  ask(name: string): Promise<string> {
    return new Promise((resolve, reject) => {
      this.lookups.lookup(name, { all: true }, (error, found) => {
        if (error) reject(error);
        else resolve((found as LookupAddress[]).map(({ address }) => address).join());
      });
    });
  }
}

test('a name is looked up once for all who ask, and what was found is kept for a moment', async () => {
  const system = new System();
  const asked = [system.ask('Shop.example'), system.ask('shop.example'), system.ask('shop.example')];
  system.found('shop.example', '10.0.0.1', 'fd00::1');
  assert.deepEqual(await Promise.all(asked), new Array(3).fill('10.0.0.1,fd00::1'));
  assert.equal(await system.ask('shop.example'), '10.0.0.1,fd00::1');
  assert.deepEqual(system.asked, ['shop.example']);
  // Older, it is still used, and looked up again behind that.
  system.now = 6000;
  assert.equal(await system.ask('shop.example'), '10.0.0.1,fd00::1');
  assert.deepEqual(system.running, ['shop.example']);
  system.found('shop.example', '10.0.0.2');
  assert.equal(await system.ask('shop.example'), '10.0.0.2');
  system.now = 100_000;
  const waits = system.ask('shop.example');
  system.found('shop.example', '10.0.0.3');
  assert.equal(await waits, '10.0.0.3');
});

test('a failure is the answer for a moment, and does not take away what was known', async () => {
  const system = new System();
  const first = system.ask('bad.example');
  system.failed('bad.example');
  await assert.rejects(first, { code: 'EAI_AGAIN' });
  await assert.rejects(system.ask('bad.example'), { code: 'EAI_AGAIN' });
  assert.equal(system.asked.length, 1);
  system.now = 1500;
  const again = system.ask('bad.example');
  system.found('bad.example', '10.0.0.1');
  assert.equal(await again, '10.0.0.1');
  system.now = 10_000;
  await system.ask('bad.example');
  system.failed('bad.example');
  assert.equal(await system.ask('bad.example'), '10.0.0.1');
});

test('names that cannot be found do not keep others from being found', async () => {
  const system = new System();
  const bad = ['b1.example', 'b2.example', 'b3.example'];
  for (const name of bad) {
    const failing = assert.rejects(system.ask(name));
    system.failed(name);
    await failing;
  }
  system.now = 2000;
  const failing = bad.map((name) => assert.rejects(system.ask(name)));
  for (let n = 0; n < 20; n += 1) failing.push(assert.rejects(system.ask(bad[n % 3]!)));
  assert.deepEqual(system.running, ['b1.example']);
  const good = [system.ask('g1.example'), system.ask('g2.example')];
  assert.deepEqual(system.running, ['b1.example', 'g1.example']);
  system.found('g1.example', '10.0.0.1');
  assert.deepEqual(system.running, ['b1.example', 'g2.example']);
  system.found('g2.example', '10.0.0.2');
  assert.deepEqual(await Promise.all(good), ['10.0.0.1', '10.0.0.2']);
  for (const name of bad) system.failed(name);
  await Promise.all(failing);
  assert.equal(system.maxAtOnce, 2);
});

test('localhost and addresses are not looked up at all', async () => {
  const system = new System();
  assert.equal(await system.ask('localhost'), '127.0.0.1,::1');
  assert.equal(await system.ask('api.localhost'), '127.0.0.1,::1');
  assert.equal(await system.ask('10.1.2.3'), '10.1.2.3');
  assert.deepEqual(system.asked, []);
});

test('a family is respected', async () => {
  const { lookups } = new System();
  const one = (family: 4 | 6) =>
    new Promise((resolve) => lookups.lookup('localhost', { family }, (_error, address) => resolve(address)));
  assert.deepEqual([await one(4), await one(6)], ['127.0.0.1', '::1']);
});

test('connections are made through it, over either family', async (t) => {
  const server = createServer((_, response) => response.end('here')).listen(0, '127.0.0.1');
  t.after(() => server.close());
  await once(server, 'listening');
  const socket = connect({ host: 'localhost', port: (server.address() as AddressInfo).port, lookup });
  await once(socket, 'connect');
  socket.destroy();
});

test('what plugins and back ends name does not fill the memory', async () => {
  const system = new System();
  for (let n = 0; n < 3000; n += 1) {
    const asked = system.ask(`n${n}.example`);
    system.found(`n${n}.example`, '10.0.0.1');
    await asked;
  }
  assert.equal(system.asked.length, 3000);
  await system.ask('n2999.example');
  assert.equal(system.asked.length, 3000);
  const forgotten = system.ask('n0.example');
  system.found('n0.example', '10.0.0.1');
  await forgotten;
});
