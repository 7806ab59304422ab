/**
 * A node in the process of the test, with its kernel at hand and clients that talk without pause: what tests of crashes
 * need. Actors are crashed by a fault that is put into them: nothing that is sent to them crashes them.
 */
import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { Cell } from '../../src/kernel/cell.ts';
import type { Kernel } from '../../src/kernel/kernel.ts';
import type { ChildInfo, SupervisorMessage } from '../../src/kernel/supervision.ts';
import type { AnyRef, Ref } from '../../src/kernel/types.ts';
import { type Node, startNode } from '../../src/node/node.ts';
import { loadWithPlugins } from '../../src/plugins/load-with-plugins.ts';
import { type Witness, witness } from './crash-plugin.ts';
import { type Sections, writeDefaultConfig } from './default-node.ts';
import { eventually } from './eventually.ts';
import { type ClientKind, clientKinds, SocketClient } from './socket-clients.ts';

const plugin = fileURLToPath(new URL('crash-plugin.ts', import.meta.url));

function configure(config: Sections): void {
  config.plugins = [plugin] as never;
  config.log!.console_level = 'none';
  config.monitor!.public_health = true;
  // Talkers say as much as the node answers.
  config.socketio = { ...config.socketio, max_packets_per_second: 0 };
  config.clients = {
    state: { state_manager: 'crash.states', initial_value: {}, args: null },
    actions: {
      say: [{ action: 'action.send_event', args: null }],
      dispatch: [{ action: 'action.dispatch', args: null }],
    },
    hooks: {
      step: [{ hook: 'crash.step', args: null }],
      sid: [{ hook: 'crash.sid', args: null }],
      crash: [{ hook: 'crash.now', args: null }],
      hang: [{ hook: 'crash.hang', args: null }],
      on_disconnect: [{ hook: 'crash.farewell', args: null }],
    },
  };
  config.connectors!.pools = { workers: { connector: 'crash.connector', size: 2, overflow: 0, args: null } };
  config.pubsub!.channels = { room: { privilege: 'private', timeout: 60_000 } };
}

/** A client that asks the next question when it has all answers to the last: an echo, a publish of its own, and the pool's. */
export class Talker {
  readonly name: string;
  readonly socket: SocketClient;
  sid = '';
  said = 0;
  #talking: Promise<void> | undefined;
  #stopped = false;

  constructor(name: string, socket: SocketClient) {
    this.name = name;
    this.socket = socket;
  }

  static async start(kind: ClientKind, name: string, url: string): Promise<Talker> {
    const talker = new Talker(name, await SocketClient.connect(kind, url));
    talker.socket.emit('sid', name);
    talker.sid = await talker.socket.event<string>('sid');
    talker.#talking = talker.#talk();
    talker.#talking.catch(() => {});
    return talker;
  }

  async #talk(): Promise<void> {
    while (!this.#stopped && this.socket.connected) {
      this.said += 1;
      const n = this.said;
      const seen = this.socket.received.length;
      this.socket.emit('step', this.name, n);
      const came = (): boolean => {
        const names = this.socket.received
          .slice(seen)
          .filter(({ name, args }) => (name === 'said' ? args[0] === this.name && args[1] === n : args[0] === n))
          .map(({ name }) => name);
        return ['echo', 'said', 'worked'].every((name) => names.includes(name)) || !this.socket.connected;
      };
      await this.socket.until(came, `the answers to step ${n}`);
    }
  }

  /** The numbers of the steps that came as that event, of all or (events with a name) of one. */
  numbers(event: string, who?: string): unknown[] {
    const mine = this.socket.received.filter(({ name, args }) => name === event && (!who || args[0] === who));
    return mine.map(({ args }) => args[who ? 1 : 0]);
  }

  /** Resolves when its last question is answered; rejects if an answer never came. */
  async stop(): Promise<void> {
    this.#stopped = true;
    await this.#talking;
  }

  /** The codes of its requests to the pool that failed. */
  failed(): unknown[] {
    return this.socket.received
      .filter(({ name, args }) => name === 'worked' && args[1] !== null)
      .map(({ args }) => args[1]);
  }
}

/** The test for which a node runs, and with which it ends. */
interface Stage {
  after(stop: () => Promise<void>): void;
}

export class CrashNode {
  readonly node: Node;
  readonly directory: string;
  readonly talkers: Talker[] = [];
  readonly witness: Witness;
  readonly monitorKey: string;
  readonly apiKey: string;

  private constructor(node: Node, directory: string, monitorKey: string, apiKey: string) {
    this.node = node;
    this.directory = directory;
    this.monitorKey = monitorKey;
    this.apiKey = apiKey;
    this.witness = witness.now;
  }

  /** A node with one talker per kind of client; it ends with the test. */
  static async start(t: Stage, kinds?: readonly ClientKind[]): Promise<CrashNode> {
    const crash = await CrashNode.launch(kinds);
    t.after(() => crash.stop());
    return crash;
  }

  /** The same, to be stopped by the caller. */
  static async launch(kinds: readonly ClientKind[] = clientKinds): Promise<CrashNode> {
    const directory = mkdtempSync(join(tmpdir(), 'hive-crash-'));
    const file = await writeDefaultConfig(directory, 'hive.json', configure);
    const { config, plugins } = await loadWithPlugins(file);
    const crash = new CrashNode(await startNode(config, plugins), directory, config.monitor.hash, config.api.hash);
    try {
      const { client } = crash.node.addresses;
      for (const [i, kind] of kinds.entries()) crash.talkers.push(await Talker.start(kind, `talker ${i}`, client));
      await crash.go();
    } catch (error) {
      await crash.stop();
      throw error;
    }
    return crash;
  }

  async stop(): Promise<void> {
    await Promise.all(this.talkers.map((talker) => talker.stop().catch(() => {})));
    await Promise.all(this.talkers.map(({ socket }) => socket.disconnect()));
    this.node.stop('the test is over');
    await this.node.ended;
    rmSync(this.directory, { recursive: true, force: true });
  }

  get kernel(): Kernel {
    return this.witness.kernel!;
  }

  actor(name: string): AnyRef {
    const found = this.kernel.whereis(name);
    assert.ok(found, `${name} runs`);
    return found;
  }

  async children(supervisor: AnyRef): Promise<ChildInfo[]> {
    return this.kernel.ask<SupervisorMessage, ChildInfo[]>(supervisor as Ref<SupervisorMessage>, {
      type: 'which_children',
    });
  }

  /** The references of the running children. */
  async running(supervisor: AnyRef): Promise<AnyRef[]> {
    return (await this.children(supervisor)).map(({ ref }) => ref).filter((ref) => typeof ref === 'object');
  }

  /** The actor of a client. */
  async client(sid: string): Promise<AnyRef> {
    const clients = await this.running(this.actor('hive_client_sup'));
    const shown = (ref: AnyRef): string => String(this.kernel.inspect(ref)?.state.sid).replace(/\W+$/, '');
    const found = clients.find((ref) => sid.startsWith(shown(ref)));
    assert.ok(found, `the actor of ${sid}`);
    return found;
  }

  /** Crashes an actor as a defect of its own would, and waits for its end. */
  async crash(actor: AnyRef): Promise<void> {
    const ended = new Promise((resolve) => this.kernel.onExit(actor, resolve));
    assert.ok(actor instanceof Cell);
    const faulty: { receive: unknown } = actor.actor;
    faulty.receive = () => {
      throw new Error('a crash by a test');
    };
    actor.tell({ type: 'anything' } as never);
    await ended;
  }

  kill(actor: AnyRef): void {
    this.kernel.exit(actor, actor, 'kill');
  }

  /** Waits for the next incarnation of a named actor. */
  async successor(name: string, former: AnyRef): Promise<AnyRef> {
    return eventually(() => {
      const present = this.kernel.whereis(name);
      return present && present !== former && this.kernel.inspect(present)?.status === 'running' ? present : undefined;
    }, `the next ${name}`);
  }

  /** Until each of the talkers has got all answers to a few more questions. */
  async go(talkers: readonly Talker[] = this.talkers, steps = 3): Promise<void> {
    const goals = talkers.map((talker) => talker.said + steps);
    await eventually(() => talkers.every((talker, i) => talker.said >= goals[i]!), 'the talkers to go on', 20_000);
  }

  /** Nobody lost anything: every talker is connected and has every echo, and every publish of everybody since it came, once, in order. */
  async assertNothingLost(talkers: readonly Talker[] = this.talkers): Promise<void> {
    await Promise.all(talkers.map((talker) => talker.stop()));
    for (const listener of talkers) {
      assert.ok(listener.socket.connected, `${listener.name} is connected`);
      const all = Array.from({ length: listener.said }, (_, i) => i + 1);
      assert.deepEqual(listener.numbers('echo'), all, `the echoes of ${listener.name}`);
      for (const speaker of talkers) {
        const heard = (): unknown[] => listener.numbers('said', speaker.name);
        await eventually(() => heard().at(-1) === speaker.said, `${listener.name} to hear the last of ${speaker.name}`);
        const first = Number(heard()[0]);
        const expected = Array.from({ length: speaker.said - first + 1 }, (_, i) => first + i);
        assert.deepEqual(heard(), expected, `what ${listener.name} heard of ${speaker.name}`);
      }
    }
  }

  crashLog(): string {
    return readFileSync(join(this.directory, 'log/crash.log'), 'utf8');
  }

  /** Asks its monitor. */
  monitor(path: string, headers: Record<string, string> = {}, method = 'GET'): Promise<Response> {
    return fetch(`${this.node.addresses.monitor}/monitor/${this.monitorKey}/${path}`, { method, headers });
  }
}
