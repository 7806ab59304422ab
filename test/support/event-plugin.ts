/** A plugin for tests of events: hooks that ask a back end which is away at first, that fail and that look at what is bound. */
import { AsyncLocalStorage } from 'node:async_hooks';
import { trace } from '@opentelemetry/api';
import {
  Actor,
  definePlugin,
  eventPacket,
  type From,
  HiveError,
  StopClient,
  Type,
  Unavailable,
  type WorkerMessage,
} from '../../src/index.ts';

/** What a test binds to channels. */
export const storage = new AsyncLocalStorage<string>();

/** Is not there for as many tries as it is told. */
class Away extends Actor<WorkerMessage<number, string>> {
  #tries = 0;

  receive(message: WorkerMessage<number, string>, from: From<string> | undefined): void {
    if (message.type === 'drain') return this.stop('shutdown');
    this.#tries += 1;
    if (this.#tries <= message.request) return from?.fail(new Unavailable('connector_error', 'It is away.'));
    this.#tries = 0;
    from?.reply('here');
  }
}

export default definePlugin({
  hooks: {
    'events.away': {
      args: Type.Integer(),
      create:
        (tries, { pools }) =>
        async (client) => {
          client.send(eventPacket(await pools.get<number, string>('away').request(tries), []));
        },
    },
    'events.fail': {
      args: Type.String(),
      create: (how) => () => {
        const error = new HiveError('client_error', 'The secret is 4711.', { summary: 'No.' });
        if (how === 'stop') throw new StopClient(error);
        throw error;
      },
    },
    'events.span': {
      args: Type.Null(),
      create: () => async () => {
        await new Promise(setImmediate);
        trace.getTracer('own').startSpan('own').end();
      },
    },
    'events.bound': {
      args: Type.Null(),
      create: () => async (client) => {
        const now = storage.getStore();
        await new Promise(setImmediate);
        client.send(eventPacket('bound', [now, storage.getStore()]));
      },
    },
  },
  connectors: {
    'events.away': {
      args: Type.Null(),
      async probe() {},
      create: () => ({ worker: () => new Away(), close() {} }),
    },
  },
});
