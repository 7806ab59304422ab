/**
 * What must hold whatever strangers send: the nodes live, nothing of theirs crashes, bystanders are served, at their node and
 * from the other, and when the strangers have gone, nothing of them is left.
 */
import { setTimeout as delay } from 'node:timers/promises';
import { eventually } from '../support/eventually.ts';
import { RawSocket } from '../support/raw-client.ts';
import type { FuzzedNode, Stage } from './stage.ts';

/** How long a bystander may wait: this is no test of speed. */
const patienceMs = 30_000;
/** How long a crash may take, from the first lost connection to the end of the process. */
const crashMs = 2000;
/** Resident memory of a node under attack, MB: its heap is limited to 256. */
const maxRssMb = 600;
/** What a heap may have grown by when all is over, MB: compiled code, tables that were made larger. */
const maxHeapGrowthMb = 24;
/** Files beyond those at the start: nodes go on being dialled, eight of which answer for as long as a handshake may take. */
const spareFiles = 40;

export class Broken extends Error {}

interface Levels {
  readonly actors: number;
  readonly files: number;
  readonly heapMb: number;
}

export class Invariants {
  readonly #stage: Stage;
  readonly #bystanders: RawSocket[] = [];
  readonly #start: Levels[] = [];
  #rounds = 0;
  /** Highest resident memory of each node, MB. */
  readonly peakRssMb = [0, 0];

  private constructor(stage: Stage) {
    this.#stage = stage;
  }

  static async watch(stage: Stage): Promise<Invariants> {
    const invariants = new Invariants(stage);
    for (const node of stage.nodes) invariants.#bystanders.push(await bystander(node));
    await invariants.hold();
    for (const node of stage.nodes) {
      const heapMb = await node.heapMb();
      invariants.#start.push({ actors: await node.metric('hive.actors.running'), files: node.openFiles, heapMb });
    }
    return invariants;
  }

  /** @throws Broken */
  async hold(): Promise<void> {
    this.#rounds += 1;
    const round = this.#rounds;
    for (const index of this.#stage.nodes.keys()) this.#requireRunning(index);
    try {
      for (const [index, socket] of this.#bystanders.entries()) {
        if (socket.code !== undefined)
          throw new Broken(`the bystander at node ${index} was closed with ${socket.code}`);
        socket.send(`42["echo",${round}]`);
      }
      for (const [index, node] of this.#stage.nodes.entries()) {
        await node.publish('bystanders', { name: 'published', args: [round, index] });
      }
      for (const [index, socket] of this.#bystanders.entries()) {
        for (const wanted of [`42["echo",${round}]`, `42["published",${round},0]`, `42["published",${round},1]`]) {
          const arrived = () => socket.messages.includes(wanted);
          await eventually(arrived, `${wanted} at the bystander of node ${index}`, patienceMs);
        }
        socket.messages.length = 0;
      }
    } catch (error) {
      await this.#sayIfEnded();
      throw new Broken((error as Error).message, { cause: error });
    }
    for (const [index, node] of this.#stage.nodes.entries()) {
      const { rssMb } = node;
      this.peakRssMb[index] = Math.max(this.peakRssMb[index]!, rssMb);
      if (rssMb > maxRssMb) throw new Broken(`node ${index} takes ${rssMb} MB`);
      const crash = node.log('crash.log');
      if (crash !== '') throw new Broken(`something of node ${index} has crashed:\n${crash.slice(0, 4000)}`);
    }
  }

  #requireRunning(index: number): void {
    const { process } = this.#stage.nodes[index]!;
    if (!process.running) throw new Broken(`node ${index} has ended:\n${process.stderr.slice(-4000)}`);
  }

  /** A node that crashes closes its connections some time before it ends. */
  async #sayIfEnded(): Promise<void> {
    await Promise.race([delay(crashMs), ...this.#stage.nodes.map(({ process }) => process.finished)]);
    for (const index of this.#stage.nodes.keys()) this.#requireRunning(index);
  }

  /** When the strangers have gone. @throws Broken if something of them is left */
  async leftNothing(): Promise<readonly Levels[]> {
    const levels: Levels[] = [];
    for (const [index, node] of this.#stage.nodes.entries()) {
      const start = this.#start[index]!;
      let actors = 0;
      const back = async () => {
        actors = await node.metric('hive.actors.running');
        return actors <= start.actors && node.openFiles <= start.files + spareFiles;
      };
      await eventually(back, 'the end of all strangers', patienceMs).catch(() => {
        const files = `${node.openFiles} open files, ${start.files} at the start`;
        throw new Broken(`node ${index} has ${actors} actors, ${start.actors} at the start, and ${files}`);
      });
      const heapMb = await node.heapMb();
      const grown = heapMb - start.heapMb;
      if (grown > maxHeapGrowthMb) throw new Broken(`the heap of node ${index} has grown by ${Math.round(grown)} MB`);
      levels.push({ actors, files: node.openFiles, heapMb });
    }
    return levels;
  }

  get start(): readonly Levels[] {
    return this.#start;
  }

  end(): void {
    for (const socket of this.#bystanders) socket.close();
  }
}

async function bystander(node: FuzzedNode): Promise<RawSocket> {
  const socket = await new RawSocket(`${node.url}/socket.io/?EIO=4&transport=websocket`).opened();
  socket.answerPings();
  socket.send('40');
  await eventually(() => socket.messages.length === 2, 'the connect packet');
  socket.send('42["join","bystanders"]');
  await eventually(() => socket.messages.includes('42["joined"]'), 'the channel of bystanders');
  return socket;
}
