/**
 * The only file that knows nact. What the kernel takes from it: the hierarchy of actors with names, their life cycle, and
 * fair turns. A nact message is an activation, never a letter: it says "your mailbox is not empty".
 *
 * nact finds the actor behind a reference by walking its path, at every dispatch. Here that is done once, when the actor is
 * made; hence the import of nact's own look-up table. And nact copies an actor's map of children into the context of every
 * message, which nobody here reads: each actor gets a context without it, else supervisors of many would be slow.
 */
import { createRequire } from 'node:module';
import { type ActorSystemRef, spawn, start, stop } from 'nact';

/** What a nact actor runs when it is activated. */
export interface Activated {
  turn(): void;
}

interface Concrete {
  readonly stopped: boolean;
  createContext: () => object;
  dispatch(message: unknown): void;
  stop(): void;
}

type NactRef = ReturnType<typeof spawn>;
type Parent = Parameters<typeof spawn>[0];
interface NactTable {
  find(system: string, reference: unknown): Concrete | undefined;
}

const table = createRequire(import.meta.url)('nact/lib/system-map') as NactTable;

const context = Object.freeze({});
function emptyContext(): object {
  return context;
}

/** One nact actor. */
export class Activation {
  readonly #reference: NactRef;
  readonly #concrete: Concrete;

  constructor(reference: NactRef) {
    this.#reference = reference;
    const { system } = reference as unknown as { system: { name: string } };
    const concrete = table.find(system.name, reference);
    if (!concrete) throw new Error('nact lost an actor that it has just made');
    concrete.createContext = emptyContext;
    this.#concrete = concrete;
  }

  /** Gives the actor a turn soon. False once it is stopped. */
  activate(): boolean {
    if (this.#concrete.stopped) return false;
    this.#concrete.dispatch(undefined);
    return true;
  }

  spawn(name: string, target: Activated): Activation {
    return spawnUnder(this.#reference as Parent, name, target);
  }

  stop(): void {
    if (!this.#concrete.stopped) this.#concrete.stop();
  }
}

/** One system of nact actors: the kernel of one node. */
export class NactSystem {
  readonly #system: ActorSystemRef = start();

  spawn(name: string, target: Activated): Activation {
    return spawnUnder(this.#system as unknown as Parent, name, target);
  }

  stop(): void {
    stop(this.#system);
  }
}

function spawnUnder(parent: Parent, name: string, target: Activated): Activation {
  return new Activation(spawn(parent, turn, name, { initialState: target }));
}

/** Shared by all actors: the target is nact's state. `turn` handles every exception itself, so nact never sees one. */
function turn(target: Activated): Activated {
  target.turn();
  return target;
}
