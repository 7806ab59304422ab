/** deploy/compose: its services as an engine would start them, each in a network of its own, and a talk across the nodes. */
import assert from 'node:assert/strict';
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { loadWithPlugins } from '../../src/plugins/load-with-plugins.ts';
import { dockerfileStages, imageEnvironment, type Service, services } from '../support/compose.ts';
import { unexpectedWarnings } from '../support/deploy.ts';
import { HiveProcess, hive } from '../support/hive-process.ts';
import { Namespaces, withoutNamespaces } from '../support/namespaces.ts';
import { findProgram, missing } from '../support/programs.ts';
import { SocketClient } from '../support/socket-clients.ts';

const all = services();
const nodes = ['node1', 'node2'].map((name) => all.get(name)!);
const backend = all.get('backend')!;
const stages = dockerfileStages();
const image = imageEnvironment(stages.at(-1)!);
const python = fileURLToPath(new URL('../../examples/distributed-chat/backend/backend.py', import.meta.url));

test('the services are built from stages that there are, and wait for services that there are', () => {
  for (const { name, target, dependsOn } of all.values()) {
    if (target)
      assert.ok(
        stages.some((stage) => stage.name === target),
        `${name}: ${target}`,
      );
    for (const other of dependsOn) assert.ok(all.has(other), `${name}: ${other}`);
  }
  assert.ok(all.get('redis')!.isWatched, 'the nodes wait until it is healthy');
});

test('the configuration of the nodes has neither mistakes nor warnings, and the ports that are published', async () => {
  for (const { command, environment, ports, stopSeconds } of nodes) {
    const [, file] = command;
    const env = { ...image, ...environment };
    const { code, stdout, stderr } = await hive(['check', file!], env);
    assert.equal(code, 0, stdout + stderr);
    assert.deepEqual(unexpectedWarnings(stdout + stderr), []);
    const { config } = await loadWithPlugins(file!);
    assert.deepEqual([...ports.values()], [config.hive.port]);
    const { graceful_termination_timeout: graceMs, max_client_slots: slots, drain_rate: rate } = config.hive;
    assert.ok(stopSeconds >= 2 * (graceMs / 1000) + slots / rate + 10);
    assert.equal(environment.HIVE_CONFIG, file);
  }
});

/** Runs a program in the network of a service. */
function start(through: string[], program: string, args: readonly string[], env = {}): ChildProcess {
  const [first, ...rest] = [...through, findProgram(program)!, ...args] as [string, ...string[]];
  return spawn(first, rest, { stdio: ['ignore', 'pipe', 'inherit'], env: { ...process.env, ...env } });
}

const needs = missing('redis-server', 'python3') || withoutNamespaces();

test('people on both nodes talk, and the page knows its nodes', { skip: needs }, async (t) => {
  const hosts = [...all.keys()];
  const networks = new Namespaces(hosts.length);
  // Clients first, networks last.
  const ends: (() => unknown)[] = [() => networks.remove()];
  t.after(async () => {
    for (const end of ends.toReversed()) await end();
  });
  networks.name(hosts);
  const through = ({ name }: Service) => networks.through(hosts.indexOf(name));
  const address = ({ name }: Service) => networks.address(hosts.indexOf(name));

  const redis = all.get('redis')!;
  const [server, ...options] = redis.command;
  // The image has no protected mode, as its network is the service's own.
  const open = [...options, '--protected-mode', 'no', '--bind', '0.0.0.0', '--dir', '/tmp'];
  const store = start(through(redis), server!, open);
  ends.push(() => store.kill());
  const page = start(through(backend), 'python3', ['-u', python, ...backend.command], {
    ...backend.environment,
    PYTHONDONTWRITEBYTECODE: '1',
  });
  ends.push(() => page.kill());
  const [ready] = (await once(page.stdout!, 'data')) as [Buffer];
  assert.match(String(ready), /is ready/);
  const running = nodes.map(
    (node) => new HiveProcess([...node.command], { ...image, ...node.environment }, through(node)),
  );
  ends.push(() => Promise.all(running.map((node) => node.stop())));
  await Promise.all(running.map((node) => node.until(() => node.stdout.includes(' is ready: '), 'the ready line')));

  const people: SocketClient[] = [];
  for (const [at, node] of nodes.entries()) {
    const [, port] = [...node.ports][0]!;
    const person = await SocketClient.connect('4.8 websocket', `http://${address(node)}:${port}`);
    ends.push(() => person.disconnect());
    person.emit('authorize', { nick: `person${at}` });
    await person.event('authorized');
    person.emit('join_chat', { chat: 'lobby' });
    await person.event('entered');
    people.push(person);
  }
  people[0]!.emit('publish_msg', { room: 'lobby', text: 'hello' });
  assert.equal((await people[1]!.event<{ text: string }>('message')).text, 'hello');

  const [[inside]] = [[...backend.ports.values()]];
  const shown = (await (await fetch(`http://${address(backend)}:${inside}/nodes`)).json()) as { url: string }[];
  assert.deepEqual(
    shown.map(({ url }) => Number(new URL(url).port)),
    nodes.flatMap(({ ports }) => [...ports.keys()]),
  );
});
