// @ts-check
/**
 * A plugin through which tests act inside a real node: it asks pools and actors what clients tell it to, and makes what goes
 * wrong inside go wrong. Requests are answered in the background, with `answered`, so that many may be under way.
 */
import { Actor, definePlugin, eventPacket, HiveError, Type } from 'hive-push';

/** @typedef {import('hive-push').Hook} Hook */

/** Does nothing, fails every call as one that was not foreseen, or crashes. */
class Idler extends Actor {
  /** @param {'idle' | 'refuse' | 'crash'} habit */
  constructor(habit) {
    super();
    this.habit = habit;
  }

  /**
   * @param {unknown} _message
   * @param {import('hive-push').From | undefined} from
   */
  receive(_message, from) {
    if (this.habit === 'refuse') from?.fail(new TypeError('refused'));
    if (this.habit === 'crash') throw new TypeError('a crash of an insider');
  }
}

/** @type {Actor['cell']['host']} */
let kernel;

/** The worker of a pool; plugins see the kernel only as actors. */
class Inside extends Actor {
  init() {
    kernel = this.kernel;
  }

  receive() {}
}

/** Starts well, fails to start again when it is told to, and starts well after that. */
class Flaky extends Actor {
  /** @type {(error: Error) => void} */
  fail = () => {};
  incarnation = 0;

  /** @param {{ incarnations: number, second: (flaky: Flaky) => void }} life */
  constructor(life) {
    super();
    this.life = life;
  }

  /** @returns {void | Promise<void>} */
  init() {
    this.life.incarnations += 1;
    if (this.life.incarnations !== 2) return undefined;
    return new Promise((_, reject) => {
      this.fail = reject;
      this.life.second(this);
    });
  }

  receive() {}
}

/** @type {(() => void)[]} */
const hanging = [];

/**
 * A hook without args: its events carry what it needs.
 * @param {(services: import('hive-push').Services) => Hook} create
 */
const hook = (create) => ({
  args: Type.Null(),
  /**
   * @param {null} _args
   * @param {import('hive-push').Services} services
   */
  create: (_args, services) => create(services),
});

/** @type {Record<string, import('hive-push').HookPlugin<null>>} */
const hooks = {
  /** `(id, pool, request)` */
  'insider.request': hook(({ pools }) => (client, { event }) => {
    const [id, pool, request] = event?.args ?? [];
    const answer = (/** @type {unknown} */ what) => client.send(eventPacket('answered', [id, what]));
    const fail = (/** @type {unknown} */ error) =>
      answer({ error: error instanceof HiveError ? error : String(error) });
    try {
      pools
        .get(String(pool))
        .request(request, client.signal)
        .then((reply) => answer({ reply }), fail);
    } catch (error) {
      fail(error);
    }
  }),
  /** `(name, message)`: the answer of the actor of that name */
  'insider.ask': hook(() => async (client, { event }) => {
    const [name, message] = event?.args ?? [];
    await kernel.ask(kernel.remote(kernel.node, String(name)), /** @type {never} */ (message));
    client.send(eventPacket('done', []));
  }),
  /** `(supervisor, specification)`: a child that idles */
  'insider.child': hook(() => async (client, { event }) => {
    const [supervisor, spec] = event?.args ?? [];
    const child = { ...Object(spec), start: () => new Idler('idle') };
    await kernel.ask(
      kernel.remote(kernel.node, String(supervisor)),
      /** @type {never} */ ({ type: 'start_child', child }),
    );
    client.send(eventPacket('done', []));
  }),
  /** `(supervisor)`: asks for the restart of a child whose restart has just failed */
  'insider.restart': hook(() => async (_client, { event }) => {
    const supervisor = kernel.remote(kernel.node, String(event?.args[0]));
    const ask = (/** @type {object} */ message) => kernel.ask(supervisor, /** @type {never} */ (message));
    /** @type {Promise<Flaky>} */
    const second = new Promise((resolve) => {
      const life = { incarnations: 0, second: resolve };
      const child = { id: 'flaky', start: () => new Flaky(life) };
      void ask({ type: 'start_child', child }).then((ref) =>
        kernel.stop(/** @type {never} */ (ref), new Error('a crash')),
      );
    });
    const flaky = await second;
    const restarted = ask({ type: 'restart_child', id: 'flaky' });
    flaky.fail(new Error('not yet'));
    await restarted.finally(() => ask({ type: 'terminate_child', child: 'flaky' }));
  }),
  /** `(name)`: an actor of that name that fails every call */
  'insider.impostor': hook(() => async (client, { event }) => {
    await kernel.spawn(new Idler('refuse'), { name: String(event?.args[0]) });
    client.send(eventPacket('done', []));
  }),
  /** `(name)`: an actor of that name that crashes when it is asked */
  'insider.crasher': hook(() => async (client, { event }) => {
    await kernel.spawn(new Idler('crash'), { name: String(event?.args[0]) });
    client.send(eventPacket('done', []));
  }),
  /** `(name)` */
  'insider.end': hook(() => async (client, { event }) => {
    const actor = kernel.whereis(String(event?.args[0]));
    if (actor) await kernel.stop(actor);
    client.send(eventPacket('done', []));
  }),
  /** Until somebody releases those who hang. */
  'insider.hang': hook(() => () => new Promise((resolve) => hanging.push(resolve))),
  'insider.release': hook(() => (client) => {
    for (const release of hanging.splice(0)) release();
    client.send(eventPacket('done', []));
  }),
  'insider.sid': hook(() => (client) => client.send(eventPacket('sid', [client.sid]))),
};

export default definePlugin({
  hooks,
  connectors: {
    'insider.inside': {
      args: Type.Null(),
      async probe() {},
      create: () => ({ worker: () => new Inside(), close() {} }),
    },
    'insider.broken': {
      args: Type.Null(),
      async probe() {},
      create() {
        throw new TypeError('broken');
      },
    },
  },
});
