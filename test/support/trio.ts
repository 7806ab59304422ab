/** Three nodes in processes of their own, and clients that talk in one channel without a pause. */
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { io, type Socket } from 'socket.io-client';
import { type Sections, writeDefaultConfig } from './default-node.ts';
import { eventually } from './eventually.ts';
import { HiveProcess } from './hive-process.ts';

/** Where a node is to run. */
export interface Place {
  readonly host: string;
  /** Words in front of its command. */
  readonly through: readonly string[];
  /** Settings of the section `hive`. */
  readonly hive: Record<string, unknown>;
}

const talkEveryMs = 20;

export class Member {
  readonly process: HiveProcess;
  readonly #host: string;
  readonly #config: Sections;

  constructor(process: HiveProcess, host: string, config: Sections) {
    this.process = process;
    this.#host = host;
    this.#config = config;
  }

  get url(): string {
    return `http://${this.#host}:${this.#config.hive!.port}`;
  }

  api(method: string, path: string, body?: unknown): Promise<Response> {
    const { port, hash } = this.#config.api!;
    const text = body === undefined ? {} : { body: JSON.stringify(body) };
    return fetch(`http://${this.#host}:${port}/api/${hash}/${path}`, { method, ...text });
  }

  /** A number of the metric tree. */
  async metric(path: string): Promise<unknown> {
    const { port, hash } = this.#config.monitor!;
    const answer = await fetch(`http://${this.#host}:${port}/monitor/${hash}/${path}`);
    let tree = (await answer.json()) as Record<string, unknown>;
    for (const segment of path.split('.')) tree = tree[segment] as Record<string, unknown>;
    return tree;
  }
}

/** A client that talks to everybody and notes what it hears. */
export class Talker {
  readonly socket: Socket;
  readonly name: string;
  /** The numbers heard, by who said them. */
  readonly heard = new Map<string, number[]>();
  said = 0;
  readonly #timer: NodeJS.Timeout;

  constructor(name: string, url: string) {
    this.name = name;
    this.socket = io(url, { transports: ['websocket'], forceNew: true });
    this.socket.on('connect', () => this.socket.emit('subscribe', { ping: 'all' }));
    this.socket.on('said', (who: string, n: number) => {
      const numbers = this.heard.get(who);
      if (numbers) numbers.push(n);
      else this.heard.set(who, [n]);
    });
    this.#timer = setInterval(() => {
      this.said += 1;
      this.socket.emit('ping', { action: 'send', args: { name: 'said', args: [name, this.said] } });
    }, talkEveryMs);
  }

  /** The last number heard of somebody. */
  last(who: Talker): number {
    return this.heard.get(who.name)?.at(-1) ?? 0;
  }

  stop(): void {
    clearInterval(this.#timer);
    this.socket.disconnect();
  }
}

export class Trio {
  readonly members: Member[] = [];
  readonly talkers: Talker[] = [];
  readonly #directory = mkdtempSync(join(tmpdir(), 'hive-trio-'));

  /** Starts the nodes, and two talkers at each. */
  async start(places: readonly Place[]): Promise<void> {
    for (const [i, { host, through, hive }] of places.entries()) {
      const file = await writeDefaultConfig(this.#directory, `node${i}.json`, (config) => {
        Object.assign(config.hive!, { host: '0.0.0.0', net_ticktime: 2, cluster_cookie: 'a secret of tests' }, hive);
        Object.assign(config.api!, { host: '0.0.0.0', hash: 'key-of-the-api-in-tests' });
        Object.assign(config.monitor!, { host: '0.0.0.0', hash: 'key-of-the-monitor-in-tests' });
        config.log!.dir = join(this.#directory, `log${i}`);
      });
      const process = new HiveProcess(['run', file], {}, through);
      this.members.push(new Member(process, host, JSON.parse(readFileSync(file, 'utf8')) as Sections));
      await process.until(() => process.stdout.includes(' is ready: '), 'the ready line');
    }
    await this.sees(3, 3, 3);
    for (const [i, { url }] of this.members.entries()) {
      for (const half of 'ab') this.talkers.push(new Talker(`${i}${half}`, url));
    }
  }

  talkersAt(...members: number[]): Talker[] {
    return this.talkers.filter(({ name }) => members.includes(Number(name[0])));
  }

  /** Waits until each member sees so many, itself included; undefined: whatever. */
  async sees(...sizes: (number | undefined)[]): Promise<void> {
    for (const [i, size] of sizes.entries()) {
      if (size === undefined) continue;
      const seen = () => this.members[i]!.metric('hive.cluster.size');
      await eventually(async () => (await seen()) === size, `node ${i} to see ${size}`, 30_000);
    }
  }

  /** Waits until each of these has heard another ten words of each. */
  async hearEachOther(talkers: readonly Talker[] = this.talkers): Promise<void> {
    const before = new Map(talkers.map((talker) => [talker, talker.said]));
    const heard = (listener: Talker) => talkers.every((who) => listener.last(who) >= before.get(who)! + 10);
    await eventually(() => talkers.every(heard), 'everybody to hear everybody', 30_000);
  }

  async stop(): Promise<void> {
    for (const talker of this.talkers) talker.stop();
    await Promise.all(this.members.map(({ process }) => process.stop('SIGKILL')));
    rmSync(this.#directory, { recursive: true, force: true });
  }
}
