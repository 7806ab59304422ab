/**
 * A plugin for tests of crashes: it hands the kernel of its node to the test, keeps account of the sessions' states and
 * farewells, and lets clients do everything that a crash could disturb.
 */
import {
  Actor,
  type Client,
  ClientEvent,
  type ClientState,
  definePlugin,
  eventPacket,
  type From,
  HiveError,
  type Services,
  Type,
  type WorkerMessage,
} from '../../src/index.ts';

/** What the plugin has seen of the node that was started last. */
export class Witness {
  services: Services | undefined;
  /** That of the workers. */
  kernel: Actor['cell']['host'] | undefined;
  /** The state with which each `on_disconnect` ran, by session id. */
  readonly farewells = new Map<string, unknown[]>();
  /** How often the state of each session was forgotten. */
  readonly forgotten = new Map<string, number>();
  /** What was stored for each session, the forgotten ones too. */
  readonly stored = new Map<string, Record<string, unknown>>();
  /** What `hang` waits for, and what came of what it did afterwards. */
  readonly returns: (() => void)[] = [];
  readonly afterlife: string[] = [];
}

export const witness: { now: Witness } = { now: new Witness() };

/** Answers in a later turn; crashes on request. */
class Worker extends Actor<WorkerMessage> {
  override init(): void {
    witness.now.kernel = this.kernel;
  }

  receive(message: WorkerMessage, from: From | undefined): void | Promise<void> {
    if (message.type === 'drain') return this.stop('shutdown');
    if (message.request === 'crash') throw new Error('a crash of a worker');
    return new Promise((resolve) => setImmediate(resolve)).then(() => from?.reply(message.request));
  }
}

/** Asks the pool; a failure is an answer too. */
async function work(client: Client, services: Services, request: unknown): Promise<void> {
  let failure: string | null = null;
  try {
    await services.pools.get('workers').request(request, client.signal);
  } catch (error) {
    if (!(error instanceof HiveError)) throw error;
    failure = error.code;
  }
  client.send(eventPacket('worked', [request, failure]));
}

/** A hook that comes back long after its client has been killed, and tries what a client may do. */
async function hang(client: Client, services: Services): Promise<void> {
  const { afterlife, returns } = witness.now;
  await new Promise<void>((resolve) => returns.push(resolve));
  const attempt = async (name: string, deed: () => unknown): Promise<void> => {
    try {
      await deed();
      afterlife.push(`${name}: done`);
    } catch (error) {
      afterlife.push(`${name}: ${error instanceof HiveError ? error.code : String(error)}`);
    }
  };
  await attempt('send', () => client.send(eventPacket('ghost', [])));
  await attempt('state', () => client.state.set({ ghost: true }));
  await attempt('subscribe', () => client.subscribe(['room.ghosts'], 'private'));
  const step = { name: 'step', args: ['ghost', 1] };
  await attempt('orders', () =>
    client.runActions([
      { action: 'dispatch', args: step, trigger_id: '' },
      { action: 'say', args: { name: 'ghost', args: [] }, trigger_id: '' },
    ]),
  );
  await attempt('dispatch', () =>
    client.dispatch(new ClientEvent('step', JSON.stringify(step.args), undefined, false, step.args), ''),
  );
  await attempt('rent', () => services.pools.get('workers').request(1, client.signal));
}

function open(sid: string): ClientState {
  const { stored, forgotten } = witness.now;
  let pairs: Record<string, unknown> = {};
  stored.set(sid, pairs);
  return {
    get: () => pairs,
    set: (more) => {
      pairs = { ...pairs, ...more };
      stored.set(sid, pairs);
    },
    cleanup: () => void forgotten.set(sid, (forgotten.get(sid) ?? 0) + 1),
  };
}

export default definePlugin({
  hooks: {
    'crash.step': {
      args: Type.Null(),
      create: (_args, services) => {
        witness.now = new Witness();
        witness.now.services = services;
        return (client, { event }) => {
          const [who, n] = event?.args ?? [];
          client.send(eventPacket('echo', [n]));
          services.pubsub.publish(['room.all'], 'private', { type: 'event', packet: eventPacket('said', [who, n]) });
          return work(client, services, n);
        };
      },
    },
    'crash.sid': {
      args: Type.Null(),
      create:
        () =>
        async (client, { event }) => {
          await client.state.set({ name: event?.args[0] });
          await client.subscribe(['room.all'], 'private');
          client.send(eventPacket('sid', [client.sid]));
        },
    },
    'crash.now': {
      args: Type.Null(),
      create: () => () => {
        throw new Error('a crash of a hook');
      },
    },
    'crash.hang': { args: Type.Null(), create: (_args, services) => (client) => hang(client, services) },
    'crash.farewell': {
      args: Type.Null(),
      create: () => async (client) => {
        const { farewells } = witness.now;
        farewells.set(client.sid, [...(farewells.get(client.sid) ?? []), await client.state.get()]);
      },
    },
  },
  connectors: {
    'crash.connector': {
      args: Type.Null(),
      async probe() {},
      create: () => ({ worker: () => new Worker(), close() {} }),
    },
  },
  stateManagers: { 'crash.states': { args: Type.Null(), create: () => ({ open }) } },
});
