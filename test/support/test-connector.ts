/** A connector whose workers do as they are told, and remember what they did. */
import { Type } from 'typebox';
import { Actor } from '../../src/kernel/actor.ts';
import type { From } from '../../src/kernel/types.ts';
import { HiveError } from '../../src/observe/errors.ts';
import { Unavailable } from '../../src/plugins/connectors/unavailable.ts';
import type { ConnectorPlugin, WorkerMessage } from '../../src/plugins/types.ts';

/** `hold` is answered when the test says so, `end` ends the worker as planned instead of an answer. */
export type TestRequest = 'echo' | 'hold' | 'crash' | 'fail' | 'unavailable' | 'end';

export class TestWorker extends Actor<WorkerMessage> {
  readonly #connector: TestConnector;

  constructor(connector: TestConnector) {
    super();
    this.#connector = connector;
  }

  override init(): void {
    this.#connector.inits += 1;
    if (this.#connector.broken) throw new Error('no luck');
    this.#connector.workers.push(this);
  }

  receive(message: WorkerMessage, from: From | undefined): void {
    if (message.type === 'drain') return this.stop('shutdown');
    this.#connector.handled += 1;
    switch (message.request as TestRequest) {
      case 'echo':
        return from?.reply(this.self.toString());
      case 'hold':
        return void this.#connector.held.push(from!);
      case 'crash':
        throw new Error('a bug');
      case 'fail':
        return from?.fail(new HiveError('redis_error', 'No.'));
      case 'unavailable':
        return from?.fail(new Unavailable('redis_error', 'Away.'));
      case 'end':
        return this.stop('shutdown');
    }
  }
}

export class TestConnector implements ConnectorPlugin<object> {
  readonly name = 'connector.test';
  readonly args = Type.Object({}, { additionalProperties: false });
  readonly workers: TestWorker[] = [];
  readonly held: From[] = [];
  inits = 0;
  handled = 0;
  closed = 0;
  broken = false;

  /** Workers that are alive. */
  get alive(): TestWorker[] {
    return this.workers.filter((worker) => worker.alive);
  }

  async probe(): Promise<void> {}

  create() {
    return {
      worker: () => new TestWorker(this),
      close: () => {
        this.closed += 1;
      },
    };
  }
}
