/**
 * The connectors' manager (registered `hive_connectors`): starts the configured pools with the node, in file order, and others
 * at run time; stops them. Requests do not pass through it: whoever has a pool talks to its workers.
 *
 * Its supervisor starts the pools' supervisor before it, and restarts it with that one (rest_for_one): then it gives the pools
 * new workers. Its own restart leaves the pools alone.
 */
import { setTimeout as delay } from 'node:timers/promises';
import { validateArgs } from '../../config/catalogue.ts';
import { problemAt, problemError } from '../../config/problem.ts';
import { poolDescriptorSchema } from '../../config/schema/connectors.ts';
import { validate } from '../../config/validate.ts';
import { Actor } from '../../kernel/actor.ts';
import type { SupervisorMessage } from '../../kernel/supervision.ts';
import type { From, Ref } from '../../kernel/types.ts';
import { catalogue, HiveError, toHiveError } from '../../observe/errors.ts';
import { Refusals } from '../../plugins/refusals.ts';
import type { ConnectorPlugin, PoolDescriptor } from '../../plugins/types.ts';
import type { ManagerMessage } from './messages.ts';
import { type NodeServices, WorkerPool } from './pool.ts';
import type { PoolTable } from './pool-table.ts';

export interface ManagerOptions {
  readonly table: PoolTable;
  readonly services: NodeServices;
  /** `hive_connectors_pool_sup`, a dynamic supervisor. */
  readonly poolSupervisor: Ref<SupervisorMessage>;
  /** Makes the (dynamic) supervisor of one pool's workers. */
  makeSupervisor(): Actor<SupervisorMessage>;
  /** The connector plugin of that name; throws `plugins_error` if there is none. */
  connector(name: string): ConnectorPlugin;
}

/** Time for requests under way when the node stops; less than a supervisor gives a worker by default. */
const finishMs = 4000;

export class ConnectorsManager extends Actor<ManagerMessage> {
  readonly #options: ManagerOptions;
  readonly #refusals: Refusals;

  constructor(options: ManagerOptions) {
    super();
    this.#options = options;
    this.#refusals = new Refusals(options.services.metrics);
  }

  override get trapsExits(): boolean {
    return true;
  }

  override async init(): Promise<void> {
    const { table, services, poolSupervisor } = this.#options;
    if (table.booted) {
      for (const pool of table.pools.values()) if (!pool.stopping) await pool.start(poolSupervisor);
      return;
    }
    for (const [name, descriptor] of Object.entries(services.config.connectors.pools)) {
      await this.#start(name, this.#options.connector(descriptor.connector), descriptor);
    }
    table.booted = true;
  }

  async receive(message: ManagerMessage, from: From | undefined): Promise<void> {
    const { counters } = this.#options.table;
    counters.requests.value += 1;
    try {
      switch (message.type) {
        case 'start':
          counters.starts.value += 1;
          from?.reply(await this.#startAtRunTime(message.name, message.descriptor));
          break;
        case 'stop':
          counters.stops.value += 1;
          this.#stop(message.name, from);
          break;
        default:
          this.unexpected(message, from);
      }
    } catch (error) {
      counters.errors.value += 1;
      from?.fail(error);
    }
  }

  override async terminate(): Promise<void> {
    const pools = [...this.#options.table.pools.values()];
    for (const pool of pools) pool.suspend();
    const limit = new AbortController();
    await Promise.race([
      Promise.all(pools.map((pool) => pool.idle())),
      delay(finishMs, undefined, { signal: limit.signal }).catch(() => {}),
    ]);
    limit.abort();
  }

  override inspect(): Record<string, unknown> {
    const pools = [...this.#options.table.pools.values()];
    return {
      pools: pools.map(({ name, connector, workers, stopping }) => ({ name, connector, workers, stopping })),
    };
  }

  #startAtRunTime(name: string, descriptor: PoolDescriptor): Promise<void> {
    const { plugin, args } = this.#refusals.counted(() => this.#checked(name, descriptor));
    return this.#start(name, plugin, { ...descriptor, args });
  }

  #checked(name: string, descriptor: PoolDescriptor): { plugin: ConnectorPlugin; args: unknown } {
    const path = `connectors.pools.${name}`;
    const violation = validate(poolDescriptorSchema, descriptor)[0];
    if (violation) {
      throw problemError(problemAt({ path, root: descriptor }, 'bad_connector_descriptor', violation), 'schema');
    }
    const plugin = this.#options.connector(descriptor.connector);
    const argsCode = plugin.argsCode ?? 'bad_config';
    const { args, problems } = validateArgs({ args: plugin.args, argsCode }, descriptor.args, path);
    if (problems[0]) throw problemError(problems[0], 'schema');
    const refusal = plugin.check?.(args as never, this.#options.services.config);
    if (refusal) {
      const { code, reason } = refusal;
      const lease = refusal.path === undefined ? `${path}.args` : `${path}.args.${refusal.path}`;
      throw problemError({ path: lease, code, reason }, 'plugin');
    }
    return { plugin, args };
  }

  async #start(name: string, plugin: ConnectorPlugin, descriptor: PoolDescriptor): Promise<void> {
    const { table, services, poolSupervisor, makeSupervisor } = this.#options;
    if (table.pools.has(name)) throw nameError('already_started', `A connector pool named ${name} exists already.`);
    let pool: WorkerPool | undefined;
    try {
      pool = new WorkerPool({ name, plugin, descriptor, services, counters: table.counters, makeSupervisor });
      table.pools.set(name, pool);
      await pool.start(poolSupervisor);
    } catch (error) {
      await pool?.stop();
      table.pools.delete(name);
      throw toHiveError(error, 'connectors_error');
    }
    if (!pool.isConnected) void this.#probe(name, plugin, descriptor);
  }

  /** Back ends may come later than Hive: that one is away is worth a line, no more. */
  async #probe(name: string, plugin: ConnectorPlugin, { args }: PoolDescriptor): Promise<void> {
    try {
      await plugin.probe(args);
    } catch (error) {
      this.#options.services.log.warning(`Pool ${name}: ${toHiveError(error).message}`, { pool: name });
    }
  }

  /** Does not wait for it: other pools are to be started and stopped meanwhile. */
  #stop(name: string, from: From | undefined): void {
    const { pools, counters } = this.#options.table;
    const pool = pools.get(name);
    if (!pool || pool.stopping) throw nameError('bad_connector_id', `There is no connector pool named ${name}.`);
    pool.stop().then(
      () => {
        pools.delete(name);
        from?.reply(undefined);
      },
      (error: unknown) => {
        counters.errors.value += 1;
        pools.delete(name);
        from?.fail(error);
      },
    );
  }
}

/** A back end may have made up the name: the log gets the text of the code. */
function nameError(code: 'already_started' | 'bad_connector_id', description: string): HiveError {
  return new HiveError(code, description, { summary: catalogue[code].text });
}
