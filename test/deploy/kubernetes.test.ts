/** deploy/kubernetes: the manifest as far as it can be told without a cluster, and its nodes, each in a network of its own. */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { io } from 'socket.io-client';
import { parseAllDocuments } from 'yaml';
import { deployed, Scratch, unexpectedWarnings } from '../support/deploy.ts';
import { eventually, next } from '../support/eventually.ts';
import { HiveProcess, hive } from '../support/hive-process.ts';
import { Namespaces, withoutNamespaces } from '../support/namespaces.ts';

type Labels = Readonly<Record<string, string>>;

interface Probe {
  readonly httpGet: { readonly path: string; readonly port: string };
}

interface Container {
  readonly env: readonly {
    readonly name: string;
    readonly valueFrom: {
      readonly fieldRef?: { readonly fieldPath: string };
      readonly secretKeyRef?: { readonly name: string; readonly key: string };
    };
  }[];
  readonly ports: readonly { readonly name: string; readonly containerPort: number }[];
  readonly startupProbe: Probe;
  readonly livenessProbe: Probe;
  readonly readinessProbe: Probe;
  readonly lifecycle: { readonly preStop: { readonly exec: { readonly command: readonly string[] } } };
  readonly volumeMounts: readonly { readonly mountPath: string }[];
}

interface StatefulSet {
  readonly metadata: { readonly name: string };
  readonly spec: {
    readonly serviceName: string;
    readonly replicas: number;
    readonly selector: { readonly matchLabels: Labels };
    readonly template: {
      readonly metadata: { readonly labels: Labels };
      readonly spec: { readonly terminationGracePeriodSeconds: number; readonly containers: readonly [Container] };
    };
  };
}

interface Service {
  readonly metadata: { readonly name: string };
  readonly spec: {
    readonly clusterIP?: string;
    readonly publishNotReadyAddresses?: boolean;
    readonly selector: Labels;
    readonly ports: readonly { readonly name: string; readonly port: number; readonly targetPort?: string }[];
  };
}

interface Policy {
  readonly spec: { readonly ingress: readonly { readonly ports: readonly { readonly port: string }[] }[] };
}

const text = readFileSync(deployed('kubernetes/hive.yaml'), 'utf8');
const objects = parseAllDocuments(text).map((document) => {
  assert.deepEqual(document.errors, []);
  return document.toJS() as { readonly kind: string; readonly apiVersion: string };
});
const ofKind = (kind: string): unknown[] => objects.filter((object) => object.kind === kind);

const [map] = ofKind('ConfigMap') as [{ data: { 'hive.json': string } }];
const [set] = ofKind('StatefulSet') as [StatefulSet];
const services = ofKind('Service') as Service[];
const [policy] = ofKind('NetworkPolicy') as [Policy];
const { spec: pod } = set.spec.template;
const [container] = pod.containers;
const portNamed = new Map(container.ports.map(({ name, containerPort }) => [name, containerPort]));
const pods = Array.from({ length: set.spec.replicas }, (_, index) => `${set.metadata.name}-${index}`);
const hostOf = (name: string) => `${name}.${set.spec.serviceName}.chat.svc.cluster.local`;

/** The keys that the comment at the top has made. */
const secret: Labels = {
  'api-key': 'the-api-key-of-this-test',
  'monitor-key': 'the-monitor-key-of-this-test',
  cookie: 'the-cookie-of-this-test',
};
for (const key of Object.keys(secret)) assert.match(text, new RegExp(`--from-literal=${key}=`));

/** What the container of a pod gets as its environment. */
function environment(name: string, folder: string): Record<string, string> {
  const fields: Labels = { 'metadata.name': name, 'metadata.namespace': 'chat' };
  const found = container.env.map(({ name: variable, valueFrom: { fieldRef, secretKeyRef } }) => {
    const value = fieldRef ? fields[fieldRef.fieldPath] : secret[secretKeyRef!.key];
    assert.ok(value, `a value for ${variable}`);
    return [variable, value] as const;
  });
  // Those of the image: no files but on the console.
  return { ...Object.fromEntries(found), HIVE__LOG__DIR: 'null', HIVE__LOG__FORMAT: 'json', HOME: folder };
}

test('labels, ports and names of the objects go together', () => {
  assert.deepEqual(set.spec.selector.matchLabels, set.spec.template.metadata.labels);
  for (const { metadata, spec } of services) {
    assert.deepEqual(spec.selector, set.spec.template.metadata.labels, metadata.name);
    for (const { port, targetPort } of spec.ports) {
      assert.ok(
        targetPort ? portNamed.has(targetPort) : [...portNamed.values()].includes(port),
        `${metadata.name} ${port}`,
      );
    }
  }
  const headless = services.find(({ metadata }) => metadata.name === set.spec.serviceName)!;
  assert.equal(headless.spec.clusterIP, 'None');
  assert.equal(headless.spec.publishNotReadyAddresses, true, 'nodes find each other before they are ready');
  for (const { ports } of policy.spec.ingress) for (const { port } of ports) assert.ok(portNamed.has(port), port);
  for (const probe of ['startupProbe', 'livenessProbe', 'readinessProbe'] as const) {
    assert.equal(container[probe].httpGet.port, 'health');
    assert.equal(container[probe].httpGet.path, probe === 'readinessProbe' ? '/ready' : '/live');
  }
});

test('every pod has a configuration without mistakes and warnings, and is among the nodes of the others', async (t) => {
  const scratch = new Scratch(t);
  const file = scratch.file('hive.json', map.data['hive.json']);
  for (const name of pods) {
    const { code, stdout, stderr } = await hive(['check', file], environment(name, scratch.path));
    assert.equal(code, 0, stdout + stderr);
    assert.deepEqual(unexpectedWarnings(stdout + stderr), []);
  }
  const config = JSON.parse(map.data['hive.json'].replaceAll(/\$\{POD_NAMESPACE\}/g, 'chat')) as {
    hive: Record<string, number> & { cluster_nodes: string[] };
    api: { port: number };
    monitor: { port: number; health_port: number };
  };
  const { hive: node, api, monitor } = config;
  assert.deepEqual(
    node.cluster_nodes,
    pods.map((name) => `hive@${hostOf(name)}:${portNamed.get('distribution')}`),
  );
  assert.equal(node.cluster_port_min, node.cluster_port_max);
  const ports = { clients: node.port, api: api.port, monitor: monitor.port, health: monitor.health_port };
  assert.deepEqual(Object.fromEntries(portNamed), { ...ports, distribution: node.cluster_port_min });
});

test('a pod has the time for a graceful stop after its pause', () => {
  const hive = JSON.parse(map.data['hive.json']).hive as Record<string, number | undefined>;
  const { graceful_termination_timeout: graceMs, max_client_slots: slots = 10_000, drain_rate: rate = 500 } = hive;
  const [program, pause] = container.lifecycle.preStop.exec.command;
  assert.equal(program, 'sleep');
  assert.ok(pod.terminationGracePeriodSeconds >= Number(pause) + 2 * (graceMs! / 1000) + slots / rate + 10);
});

test('the pods become one server, and stay ready when one of them goes', { skip: withoutNamespaces() }, async (t) => {
  const scratch = new Scratch(t);
  const file = scratch.file('hive.json', map.data['hive.json']);
  const networks = new Namespaces(pods.length);
  // Clients first, networks last.
  const ends: (() => unknown)[] = [() => networks.remove()];
  t.after(async () => {
    for (const end of ends.toReversed()) await end();
  });
  networks.name(pods.map(hostOf));
  const nodes = pods.map(
    (name, index) => new HiveProcess(['run', file], environment(name, scratch.path), networks.through(index)),
  );
  ends.push(() => Promise.all(nodes.map((node) => node.stop())));
  const at = (index: number, port: string) => `http://${networks.address(index)}:${portNamed.get(port)}`;
  const size = async (index: number): Promise<number> => {
    const url = `${at(index, 'monitor')}/monitor/${secret['monitor-key']}/hive.cluster.size`;
    return ((await (await fetch(url)).json()) as { hive: { cluster: { size: number } } }).hive.cluster.size;
  };
  // What the machine's own agent asks.
  const probe = async (index: number, { httpGet }: Probe) =>
    (await fetch(`${at(index, httpGet.port)}${httpGet.path}`)).status;

  await Promise.all(nodes.map((node) => node.until(() => node.stdout.includes(' is ready: '), 'the ready line')));
  for (const index of nodes.keys()) {
    await eventually(async () => (await size(index)) === pods.length, `${pods[index]} to see all`);
    assert.equal(await probe(index, container.livenessProbe), 200);
    assert.equal(await probe(index, container.readinessProbe), 200);
  }

  const client = io(at(0, 'clients'), { transports: ['websocket'], forceNew: true, reconnection: false });
  ends.push(() => client.disconnect());
  await next(client, 'connect');
  client.emit('subscribe', ['news.today']);
  const publish = async () => {
    const url = `${at(2, 'api')}/api/${secret['api-key']}/pubsub/publish/news.today`;
    const body = JSON.stringify({ name: 'headline', args: ['it works'] });
    return (await fetch(url, { method: 'POST', body })).ok;
  };
  let heard: unknown;
  client.on('headline', (headline) => {
    heard = headline;
  });
  // Until the client has joined, what is published reaches nobody.
  await eventually(async () => (await publish()) && heard, 'the headline');
  assert.equal(heard, 'it works');

  assert.equal((await nodes[1]!.stop()).code, 0);
  for (const index of [0, 2]) {
    await eventually(async () => (await size(index)) === 2, `${pods[index]} to see one go`);
    assert.equal(await probe(index, container.readinessProbe), 200, 'one that is missing makes no other unready');
  }
  assert.equal(join(container.volumeMounts[0]!.mountPath, 'hive.json'), '/etc/hive/hive.json');
});
