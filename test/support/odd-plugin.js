// @ts-check
/** A plugin each part of which throws whichever oddity it is told to. */
import { Actor, definePlugin, eventPacket, HiveError, Type } from 'hive-push';
import { oddities } from './oddities.js';

/** @param {unknown} name */
const odd = (name) => /** @type {() => unknown} */ (oddities[String(name)])();

class Thrower extends Actor {
  /**
   * @param {import('hive-push').WorkerMessage} message
   * @param {import('hive-push').From | undefined} from
   */
  receive(message, from) {
    if (message.type === 'drain') return this.stop('shutdown');
    const [how, name] = /** @type {[string, string]} */ (message.request);
    if (how === 'fail') return from?.fail(odd(name));
    throw odd(name);
  }
}

export default definePlugin({
  hooks: {
    'odd.throw': {
      args: Type.Null(),
      create: () => (_client, trigger) => {
        throw odd(trigger.event?.args[0]);
      },
    },
    'odd.reject': {
      args: Type.Null(),
      create: () => (_client, trigger) => Promise.reject(odd(trigger.event?.args[0])),
    },
    'odd.detach': {
      args: Type.Null(),
      create: () => (client, trigger) => {
        void Promise.reject(odd(trigger.event?.args[0]));
        client.send(eventPacket('detached', []));
      },
    },
    'odd.cause': {
      args: Type.Null(),
      create: () => (_client, trigger) => {
        throw new HiveError('client_error', 'with a cause', { cause: odd(trigger.event?.args[0]) });
      },
    },
    'odd.ask': {
      args: Type.String(),
      create:
        (how, { pools }) =>
        async (_client, trigger) => {
          await pools.get(how).request([how, trigger.event?.args[0]]);
        },
    },
    'odd.mark': {
      args: Type.Null(),
      create: () => (client, trigger) => client.state.set({ odd: trigger.event?.args[0] }),
    },
    // Leaves oddly: on_disconnect of those that were marked throws, and so does their store.
    'odd.leave': {
      args: Type.Null(),
      create: () => async (client) => {
        const { odd: name } = await client.state.get();
        if (name !== undefined) throw odd(name);
      },
    },
    'odd.connect': {
      args: Type.Null(),
      create: () => (client, trigger) => {
        const { handshake } = JSON.parse(String(client.metadata(trigger)));
        const name = handshake.query.odd;
        if (name !== undefined) throw odd(name);
      },
    },
  },
  actions: {
    'odd.action': {
      args: Type.Null(),
      create: () => ({
        run: (_client, { args }) => {
          throw odd(args);
        },
      }),
    },
  },
  connectors: {
    'odd.connector': {
      args: Type.Null(),
      probe: () => Promise.reject(odd('proxy')),
      create: () => ({ worker: () => new Thrower(), close() {} }),
    },
  },
  stateManagers: {
    'odd.states': {
      args: Type.Null(),
      create: () => ({
        open(_sid, initial) {
          let pairs = initial;
          return {
            get: () => pairs,
            set: (more) => {
              pairs = { ...pairs, ...more };
            },
            cleanup: () => {
              if (pairs.odd !== undefined) throw odd(pairs.odd);
              // What deleting from a Map returns: something, but no promise.
              return /** @type {any} */ (true);
            },
          };
        },
      }),
    },
  },
});
