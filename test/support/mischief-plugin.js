// @ts-check
/** A plugin with one part of each kind, each of which works, and crashes when it is told to. */
import { Actor, definePlugin, eventPacket, HiveError, StopClient, Type } from 'hive-push';

/** @typedef {'well' | 'throw' | 'reject' | 'detach' | 'refuse' | 'stop'} Mischief */

const mischief = Type.Unsafe(
  /** @type {const} */ ({ enum: ['well', 'throw', 'reject', 'detach', 'refuse', 'stop', 'boot'] }),
);

// It must not keep a command from ending.
setInterval(() => {}, 60_000);

/** @param {unknown} what */
function make(what) {
  switch (what) {
    case 'throw':
      throw new TypeError('mischief');
    case 'reject':
      return Promise.reject(new RangeError('mischief'));
    case 'detach':
      void Promise.reject(new RangeError('detached mischief'));
      return undefined;
    case 'refuse':
      throw new HiveError('client_error', 'mischief');
    case 'stop':
      throw new StopClient(new HiveError('stopped', 'mischief'));
  }
}

/** @type {Actor['cell']['host']} */
let kernel;

/** Answers with what it is asked, in capitals. */
class Shouter extends Actor {
  init() {
    kernel = this.kernel;
  }

  /**
   * @param {import('hive-push').WorkerMessage} message
   * @param {import('hive-push').From | undefined} from
   */
  receive(message, from) {
    if (message.type === 'drain') return this.stop('shutdown');
    make(message.request);
    from?.reply(String(message.request).toUpperCase());
  }
}

export default definePlugin({
  hooks: {
    'mischief.hook': {
      args: mischief,
      create(what) {
        if (what === 'boot') throw new TypeError('mischief');
        return async (client) => {
          await make(what);
          client.send(eventPacket('hooked', []));
        };
      },
    },
    'mischief.ask': {
      args: Type.Object({ pool: Type.String() }),
      create: ({ pool }, { pools }) => {
        return async (client, { event }) => {
          client.send(eventPacket('answer', [await pools.get(pool).request(event?.args[0], client.signal)]));
        };
      },
    },
    'mischief.topple': {
      args: Type.Null(),
      create(_args, { pools }) {
        return async () => {
          // A worker shows the kernel.
          await pools.start('shouters', { connector: 'mischief.connector', size: 1, overflow: 0, args: 'well' });
          for (let crashes = 0; crashes <= 5; crashes += 1) {
            const supervisor = kernel.whereis('hive_env_sup');
            if (supervisor) await kernel.stop(supervisor, new Error('mischief'));
            while (crashes < 5 && !kernel.whereis('hive_env_sup'))
              await new Promise((resolve) => setImmediate(resolve));
          }
        };
      },
    },
    'mischief.remember': {
      args: Type.Null(),
      create: () => async (client, trigger) => {
        const [word] = trigger.event?.args ?? [];
        if (typeof word === 'string') await client.state.set({ word });
        client.send(eventPacket('remembered', [await client.state.get()]));
      },
    },
  },
  actions: {
    'mischief.action': {
      args: Type.Null(),
      create: () => ({
        run: (client, { args }) => {
          make(args);
          client.send(eventPacket('acted', []));
        },
        packet: ({ args }) => {
          make(args);
          return eventPacket('acted', []);
        },
      }),
    },
  },
  connectors: {
    'mischief.connector': {
      args: mischief,
      async probe(what) {
        await make(what);
      },
      create({ args }) {
        if (args === 'boot') throw new TypeError('mischief');
        return { worker: () => new Shouter(), close() {} };
      },
    },
  },
  stateManagers: {
    'mischief.states': {
      args: Type.Null(),
      create: () => ({
        open(_sid, initial) {
          let pairs = initial;
          return {
            get: async () => pairs,
            set: async (more) => {
              await make(more.word);
              pairs = { ...pairs, ...more };
            },
            cleanup() {},
          };
        },
      }),
    },
  },
});
