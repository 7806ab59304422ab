/**
 * The hooks, actions and state manager that the configuration asks for: made once for a node, shared by all its clients.
 */
import { validateArgs } from '../config/catalogue.ts';
import { problemError } from '../config/problem.ts';
import type { Config } from '../config/types.ts';
import { HiveError } from '../observe/errors.ts';
import { asError, titleOf } from '../observe/thrown.ts';
import type { ServerPacket } from '../protocol/packet.ts';
import { Refusals } from './refusals.ts';
import type { PluginRegistry } from './registry.ts';
import type { Action, ActionCall, HookDescriptor, NamedHook, Services, State, StateManager } from './types.ts';

export type HookDescriptors = Readonly<Record<string, readonly HookDescriptor[]>>;

export class PluginSet {
  /** Hooks by event; events without hooks are absent. */
  readonly hooks: ReadonlyMap<string, readonly NamedHook[]>;
  /** The actions that a call with that name runs, one after the other. */
  readonly actions: ReadonlyMap<string, readonly Action[]>;
  readonly stateManager: StateManager;
  /** The state of a new client; a configured value that is not an object is stored under the key `initial_value`. */
  readonly initialState: State;
  /** Whether a hook of `on_connect` may ask what back ends are told of clients: only then there is a handshake in it. */
  readonly wantsHandshakes: boolean;
  readonly #registry: PluginRegistry;
  readonly #services: Services;
  readonly #refusals: Refusals;

  /**
   * `services.config` must have been checked against the same registry.
   * @throws HiveError `plugins_error` if a plugin makes nothing of args that it has accepted
   */
  constructor(registry: PluginRegistry, services: Services) {
    this.#registry = registry;
    this.#services = services;
    this.#refusals = new Refusals(services.metrics);
    services.metrics.gauge('hive.plugins', () => registry.size);
    const { hooks, actions, state } = services.config.clients;
    this.wantsHandshakes = (hooks.on_connect ?? []).some(({ hook }) => registry.hook(hook).usesMetadata !== false);
    this.hooks = new Map(
      Object.entries(hooks)
        .filter(([, descriptors]) => descriptors.length > 0)
        .map(([event, descriptors]) => [
          event,
          descriptors.map((descriptor) => made('hook', descriptor.hook, () => this.#hook(descriptor))),
        ]),
    );
    this.actions = new Map(
      Object.entries(actions).map(([name, descriptors]) => [
        name,
        descriptors.map(({ action, args }) =>
          made('action', action, () => registry.action(action).create(args, services)),
        ),
      ]),
    );
    this.stateManager = made('state manager', state.state_manager, () =>
      registry.stateManager(state.state_manager).create(state.args, services),
    );
    this.initialState = isObject(state.initial_value) ? state.initial_value : { initial_value: state.initial_value };
  }

  #hook({ hook, args }: HookDescriptor): NamedHook {
    return { plugin: hook, run: this.#registry.hook(hook).create(args, this.#services) };
  }

  /**
   * Makes hooks at run time, all or none.
   * @throws HiveError `plugins_error` for an unknown plugin, else the plugin's own code for args that it refuses
   */
  createHooks(descriptors: HookDescriptors): Map<string, NamedHook[]> {
    const made = new Map<string, NamedHook[]>();
    for (const [event, list] of Object.entries(descriptors)) {
      const hooks = list.map((descriptor, index) =>
        this.#refusals.counted(() => this.#hook(this.#checked(descriptor, `hooks.${event}[${index}]`))),
      );
      if (hooks.length > 0) made.set(event, hooks);
    }
    return made;
  }

  /** The descriptor with its args completed. */
  #checked({ hook, args }: HookDescriptor, path: string): HookDescriptor {
    const plugin = this.#registry.hook(hook);
    const contract = { args: plugin.args, argsCode: plugin.argsCode ?? 'bad_config' } as const;
    const checked = validateArgs(contract, args, path);
    if (checked.problems[0]) throw problemError(checked.problems[0], 'schema');
    const refusal = plugin.check?.(checked.args, this.#present());
    if (refusal) {
      const { code, reason } = refusal;
      const place = `${path}.args${refusal.path === undefined ? '' : `.${refusal.path}`}`;
      throw problemError({ path: place, code, reason }, 'plugin');
    }
    return { hook, args: checked.args };
  }

  /** The configuration with the pools that run now, which hooks of run time may name. */
  #present(): Config {
    const { config, pools } = this.#services;
    return { ...config, connectors: { ...config.connectors, pools: pools.running() } };
  }

  /**
   * What can be said of actions before a client gets them.
   * @throws HiveError what is wrong with the first that is wrong for any client
   */
  check(actions: readonly ActionCall[]): void {
    for (const call of actions) for (const action of this.actions.get(call.action) ?? []) action.check?.(call);
  }

  /**
   * The packets of these actions if they only send and none of them fails; undefined if each client has to run them.
   * A publish of such actions is encoded once and never visits the clients.
   */
  packetsFor(actions: readonly ActionCall[]): ServerPacket[] | undefined {
    const packets: ServerPacket[] = [];
    try {
      for (const call of actions) {
        const actions = this.actions.get(call.action);
        if (!actions) return undefined;
        for (const action of actions) {
          const packet = action.packet?.(call);
          if (!packet) return undefined;
          packets.push(packet);
        }
      }
    } catch {
      // Each client fails on its own: it is told what is wrong with its actions, behind what the actions before sent, or crashes.
      return undefined;
    }
    return packets;
  }
}

/** What a plugin makes when the node boots: there is no client yet that could crash. */
function made<Product>(kind: string, name: string, make: () => Product): Product {
  try {
    return make();
  } catch (error) {
    const cause = asError(error);
    if (cause instanceof HiveError) throw cause;
    throw new HiveError('plugins_error', `The ${kind} ${name} cannot be made: ${titleOf(error)}`, { cause });
  }
}

function isObject(value: unknown): value is State {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
