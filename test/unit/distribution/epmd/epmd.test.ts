import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { type AddressInfo, connect, createServer, type Socket } from 'node:net';
import { type TestContext, test } from 'node:test';
import { lookUp, names, register } from '../../../../src/distribution/epmd/epmd.ts';
import { EpmdRegistration } from '../../../../src/distribution/epmd/registration.ts';
import { EpmdServer } from '../../../../src/distribution/epmd/server.ts';
import { silent } from '../../../../src/observe/logger.ts';
import { keepingLog, startEpmd, until } from '../../../support/cluster.ts';
import { findProgram, missing } from '../../../support/programs.ts';

async function behaves(t: TestContext, epmdPort: number): Promise<void> {
  assert.deepEqual(await names('127.0.0.1', epmdPort), []);
  const one = await register(epmdPort, 'one', 1111);
  const two = await register(epmdPort, 'zwölf', 2222);
  t.after(() => two.destroy());
  assert.equal(await lookUp('127.0.0.1', epmdPort, 'one'), 1111);
  assert.equal(await lookUp('127.0.0.1', epmdPort, 'zwölf'), 2222);
  assert.equal(await lookUp('127.0.0.1', epmdPort, 'three'), undefined);
  const all = (await names('127.0.0.1', epmdPort)).map(({ name, port }) => `${name} ${port}`).sort();
  assert.deepEqual(all, ['one 1111', 'zwölf 2222']);
  await assert.rejects(register(epmdPort, 'one', 3333), { code: 'name_taken' });
  one.destroy();
  let left = 2;
  while (left > 1) left = (await names('127.0.0.1', epmdPort)).length;
  (await register(epmdPort, 'one', 4444)).destroy();
}

test('our EPMD registers, finds, lists, and forgets with the connection', async (t) => {
  await behaves(t, await startEpmd(t));
});

test("our client gets along with Erlang's EPMD", { skip: missing('epmd') }, async (t) => {
  const free = new EpmdServer();
  await free.listen(0, ['127.0.0.1']);
  const { port } = free;
  free.stop();
  const epmd = spawn(findProgram('epmd')!, ['-port', String(port), '-address', '127.0.0.1'], { stdio: 'ignore' });
  t.after(() => epmd.kill('SIGKILL'));
  for (let up = false; !up; )
    up = await names('127.0.0.1', port).then(
      () => true,
      () => false,
    );
  await behaves(t, port);
});

test('without EPMD the look-up fails', async () => {
  const gone = new EpmdServer();
  await gone.listen(0, ['127.0.0.1']);
  gone.stop();
  await assert.rejects(lookUp('127.0.0.1', gone.port, 'x'), { code: 'ECONNREFUSED' });
});

test('EPMD does not obey requests that would end nodes, and closes on nonsense', async (t) => {
  const port = await startEpmd(t);
  const keep = await register(port, 'one', 1111);
  t.after(() => keep.destroy());
  for (const body of [[107], [115, 111, 110, 101], [120, 1], [0], []]) {
    const socket = connect(port, '127.0.0.1');
    socket.on('error', () => {});
    socket.write(Buffer.from([0, body.length, ...body]));
    socket.resume();
    await until(() => socket.closed, 'the end of the connection');
  }
  assert.equal(await lookUp('127.0.0.1', port, 'one'), 1111);
});

test('when EPMD goes, one of the nodes takes over and the others register with it', async (t) => {
  const first = new EpmdServer();
  await first.listen(0, ['127.0.0.1']);
  const epmdPort = first.port;
  const all = [1, 2, 3].map((n) => {
    const options = { node: `n${n}@127.0.0.1`, port: 1000 + n, epmdPort, log: silent };
    return new EpmdRegistration(options);
  });
  t.after(() => {
    for (const registration of all) registration.stop();
  });
  for (const registration of all) await registration.start();
  assert.deepEqual(
    all.map(({ serves }) => serves),
    [false, false, false],
  );
  first.stop();
  let found = 0;
  while (found < 3) found = (await names('127.0.0.1', epmdPort).catch(() => [])).length;
  assert.equal(all.filter(({ serves }) => serves).length, 1);
});

test('an EPMD that does not answer keeps no node from starting, which registers when another has taken over', async (t) => {
  const log = keepingLog();
  const silentOnes = new Set<Socket>();
  const hung = createServer((socket) => silentOnes.add(socket));
  await new Promise<void>((resolve) => hung.listen(0, '127.0.0.1', resolve));
  const { port: epmdPort } = hung.address() as AddressInfo;
  const registration = new EpmdRegistration({ node: 'n@127.0.0.1', port: 1001, epmdPort, log });
  t.after(() => {
    registration.stop();
    hung.close();
  });
  await registration.start();
  const warnings = log.lines.filter(({ level }) => level === 'warning');
  assert.match(warnings.map(({ message }) => message).join('\n'), /^Cannot register n@127.0.0.1 with EPMD: .* range$/);
  hung.close();
  for (const socket of silentOnes) socket.destroy();
  await until(() => registration.serves, 'the node to serve EPMD itself');
  await until(() => log.lines.some(({ message }) => message.startsWith('registered with EPMD')), 'the registration');
  assert.equal(await lookUp('127.0.0.1', epmdPort, 'n'), 1001);
});
