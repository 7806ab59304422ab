/**
 * The only file that knows nact. What the kernel takes from it: the hierarchy of actors with names, their life cycle, and
 * activations. A message of nact is an activation and carries nothing: it says that actors have messages. One nact actor gets
 * them for all; whoever has messages then runs a slice (run-queue.ts), because nact's promise and round of the event loop cost
 * ten times what a message does.
 *
 * nact gives every actor a path, a reference that leads there, a queue and two maps of children, and walks the path to find who is behind a
 * reference. Here actors are held themselves: there are no paths and references, and what is empty is shared. That is
 * two thirds of an actor's memory, and what a supervisor of many does not copy at each message.
 */
import { createRequire } from 'node:module';
import { start } from 'nact';
import { RunQueue } from './run-queue.ts';

/** An actor's place in nact's hierarchy. */
export interface NactPlace {
  stop(): void;
}

/** nact's actor, or the system at the top. */
interface Concrete extends NactPlace {
  parent: Concrete;
  stopped: boolean;
  children: Map<string | number, Concrete>;
  childReferences: Map<string | number, unknown>;
  mailbox: object;
  path: object;
  reference: object | undefined;
  createContext(): object;
  assertNotStopped(): void;
  childStopped(child: Concrete): void;
  dispatch(message: unknown, sender: unknown): void;
}
type ConcreteActor = new (
  parent: Concrete,
  name: string | number,
  system: Concrete,
  handler: () => unknown,
  options: object,
) => Concrete;

const require = createRequire(import.meta.url);
const { Actor: ConcreteActor } = require('nact/lib/actor') as { Actor: ConcreteActor };
const { find } = require('nact/lib/system-map') as { find(system: string, reference: object): Concrete };

const nowhere = { createChildPath: () => nowhere };
const nobody = Object.freeze({});
const noChildren = new Map<string | number, Concrete>();
const unread = new (class extends Map<string | number, unknown> {
  override set(): this {
    return this;
  }
})();

function nothing(): void {}
const options = { afterStop: nothing };

/** One that nobody asks for its context, and that stops when its children have: nact's own way costs ten times that. */
class Placed extends ConcreteActor {
  override createContext(): object {
    return nobody;
  }

  override stop(): void {
    this.stopped = true;
    this.parent.childStopped(this);
  }
}

/** One system of nact actors: the kernel of one node. */
export class NactSystem {
  readonly #system: Concrete;
  readonly runQueue: RunQueue;

  constructor() {
    const reference = start() as unknown as { system: { name: string } };
    this.#system = find(reference.system.name, reference);
    this.#system.path = nowhere;
    this.#system.childReferences = unread;
    const turns = new Placed(this.#system, 'turns', this.#system, () => this.runQueue.activation(), options);
    this.runQueue = new RunQueue(() => turns.dispatch(undefined, nobody));
  }

  /** @param name unique under its parent. A number does without a string, and nact asks for nothing else. */
  spawn(name: number, parent: NactPlace = this.#system): NactPlace {
    const above = parent as Concrete;
    above.assertNotStopped();
    if (above.children === noChildren) above.children = new Map();
    const actor = new Placed(above, name, this.#system, nothing, options);
    actor.children = noChildren;
    actor.childReferences = unread;
    actor.mailbox = nobody;
    actor.reference = undefined;
    return actor;
  }

  stop(): void {
    this.#system.stop();
  }
}
