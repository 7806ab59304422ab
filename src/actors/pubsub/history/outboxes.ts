/**
 * What was published here to channels with a history, on its way to their homes. One batch is under way to each home, and further
 * items form the next one: so what one node publishes to one channel is stored in that order, and a batch that is sent again is the
 * same again.
 *
 *   add ──▶ box of the channel's home ──batch──▶ home ──stored──▶ done
 *              ▲                                  │ its home is elsewhere, or the home is lost
 *              └──── all of that channel ◀────────┘
 *
 * All items of a channel are in one box: those that come while some wait go behind them, whichever node is the home by then.
 */
import type { TimingWheel } from '../../../kernel/timers.ts';
import type { NodeName } from '../../../kernel/types.ts';
import type { Item } from './wire-messages.ts';

export interface OutboxSetup {
  readonly wheel: TimingWheel;
  readonly homeOf: (channel: string) => NodeName;
  /** Resolves to the numbers of the items whose home is elsewhere; the others are stored. */
  readonly send: (home: NodeName, items: readonly Item[]) => Promise<readonly number[]>;
  /** Bytes that may wait, for all homes together. */
  readonly maxBytes: number;
  /** A batch is sent again. */
  readonly failed: (home: NodeName, error: unknown) => void;
}

/** Until a batch that has failed is sent again, ms: a home that is lost or moved is replaced within that. */
const retryMs = 50;
const maxItems = 500;
const maxBatchBytes = 256 * 1024;

interface Waiting {
  readonly item: Item;
  readonly bytes: number;
}

class Box {
  readonly home: NodeName;
  queue: Waiting[] = [];
  /** A batch is under way, or will be sent again. */
  isBusy = false;

  constructor(home: NodeName) {
    this.home = home;
  }
}

/** Where the items of a channel wait, and how many. */
interface Route {
  box: Box;
  count: number;
}

export class Outboxes {
  readonly #setup: OutboxSetup;
  readonly #boxes = new Map<NodeName, Box>();
  readonly #routes = new Map<string, Route>();
  #bytes = 0;
  #idle: (() => void)[] = [];

  constructor(setup: OutboxSetup) {
    this.#setup = setup;
  }

  get waiting(): number {
    let sum = 0;
    for (const { count } of this.#routes.values()) sum += count;
    return sum;
  }

  /** Whether something for that channel is on its way. */
  has(channel: string): boolean {
    return this.#routes.has(channel);
  }

  /** @returns false if there is no room */
  add(item: Item, bytes: number): boolean {
    if (this.#bytes + bytes > this.#setup.maxBytes) return false;
    this.#bytes += bytes;
    const channel = item[1];
    let route = this.#routes.get(channel);
    if (!route) {
      route = { box: this.#box(this.#setup.homeOf(channel)), count: 0 };
      this.#routes.set(channel, route);
    }
    route.count += 1;
    route.box.queue.push({ item, bytes });
    this.#pump(route.box);
    return true;
  }

  /** Resolves when nothing waits. */
  async drained(): Promise<void> {
    if (this.#routes.size > 0) await new Promise<void>((resolve) => this.#idle.push(resolve));
  }

  #box(home: NodeName): Box {
    const present = this.#boxes.get(home);
    if (present) return present;
    const box = new Box(home);
    this.#boxes.set(home, box);
    return box;
  }

  #pump(box: Box): void {
    if (box.isBusy) return;
    if (box.queue.length === 0) {
      this.#boxes.delete(box.home);
      return;
    }
    box.isBusy = true;
    // What is published in this turn goes together.
    queueMicrotask(() => this.#send(box));
  }

  #send(box: Box): void {
    const items: Item[] = [];
    let room = maxBatchBytes;
    for (const { item, bytes } of box.queue) {
      items.push(item);
      room -= bytes;
      if (room <= 0 || items.length === maxItems) break;
    }
    this.#setup.send(box.home, items).then(
      (refused) => this.#answered(box, items.length, refused),
      (error: unknown) => {
        this.#setup.failed(box.home, error);
        this.#again(box);
      },
    );
  }

  #answered(box: Box, count: number, refused: readonly number[]): void {
    const isRefused = new Set(refused);
    const sent = box.queue.splice(0, count);
    const left: Waiting[] = [];
    for (const waiting of sent) {
      if (isRefused.has(waiting.item[0])) left.push(waiting);
      else this.#done(waiting);
    }
    if (left.length > 0) {
      box.queue.unshift(...left);
      return this.#again(box);
    }
    box.isBusy = false;
    this.#pump(box);
  }

  #done({ item, bytes }: Waiting): void {
    this.#bytes -= bytes;
    const route = this.#routes.get(item[1])!;
    route.count -= 1;
    if (route.count > 0) return;
    this.#routes.delete(item[1]);
    if (this.#routes.size > 0) return;
    for (const resolve of this.#idle.splice(0)) resolve();
  }

  /** A little later the items go to the homes of then. */
  #again(box: Box): void {
    this.#setup.wheel.schedule(retryMs, () => this.#reroute(box));
  }

  #reroute(box: Box): void {
    const { queue } = box;
    box.queue = [];
    const others = new Set<Box>();
    const homes = new Map<string, Box>();
    for (const waiting of queue) {
      const channel = waiting.item[1];
      let home = homes.get(channel);
      if (!home) {
        home = this.#box(this.#setup.homeOf(channel));
        homes.set(channel, home);
        this.#routes.get(channel)!.box = home;
      }
      home.queue.push(waiting);
      if (home !== box) others.add(home);
    }
    box.isBusy = false;
    this.#pump(box);
    for (const other of others) this.#pump(other);
  }
}
