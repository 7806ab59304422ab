/** What a simulation consists of, what is known about it, and what is checked. What happens in it is in happenings.ts. */
import type { NodeName } from '../../src/kernel/types.ts';
import { SimClient, type Stream } from './client.ts';
import type { VirtualClock } from './clock.ts';
import { Durability } from './durability.ts';
import { type Item, type Late, type Level, Session } from './expectations.ts';
import { Mesh } from './mesh.ts';
import type { Holder, SimSockets } from './network.ts';
import { type Answer, type Asked, type BackEnd, type Parts, pingIntervalMs, pingTimeoutMs, SimNode } from './node.ts';
import { type Kind, publicationOf, sendOf } from './publications.ts';
import { durableSettings, plenty, type Settings, settingsOf } from './settings.ts';

/** So that it can be seen that something happens. */
export interface Figures {
  publications: number;
  heard: number;
  /** Returns to a session, and those that found none. */
  recovered: number;
  notRecovered: number;
  /** Sessions that ended because something was lost. */
  lost: number;
}

/** A publish that was followed by another one when it was confirmed. */
interface Step {
  readonly number: number;
  /** The nodes that have not confirmed it. */
  readonly missing: ReadonlySet<string>;
  /** Sessions that were at one of those, or on their way to another node: what several nodes keep for them is in no order. */
  readonly unordered: ReadonlySet<string>;
}

export const channels = ['room.lobby', 'room.a', 'room.b'];
/** What is published to: a channel, or all of them. */
export const prefixes = ['room', ...channels];
/** By how much a time of a client may differ from that of the server: what a message takes, and ticks of timers. */
const slackMs = 100;
/** For how long a trouble between nodes has consequences, at most, as a rule. */
const troubleMs = 3000;

export class World implements BackEnd {
  readonly clock: VirtualClock;
  readonly settings: Settings;
  readonly figures: Figures = { publications: 0, heard: 0, recovered: 0, notRecovered: 0, lost: 0 };
  /** What has happened. */
  readonly trace: string[] = [];
  readonly sessions = new Map<string, Session>();
  readonly clients: SimClient[] = [];
  readonly mesh: Mesh;
  /** Those that are there. */
  readonly nodes: SimNode[] = [];
  mistake: string | undefined;
  /** Nothing breaks any more. */
  isCalm = false;
  /** The back end answers nobody. */
  isBackEndDown = false;
  /** Where sessions outlive their nodes. */
  readonly durability: Durability | undefined;
  readonly #parts: Parts;
  readonly #lives = new Map<string, number>();
  /** What was published through a node for sessions of others, and is not confirmed. */
  readonly #unconfirmed = new Map<string, Set<Item>>();
  /** The socket that was told last of each session, on each node. */
  readonly #held = new Map<string, Holder>();
  readonly #published: Late[] = [];
  readonly #walks: Step[][] = [];
  #number = 0;
  /** When clients were last told to do something slow. */
  #slowAt = Number.NEGATIVE_INFINITY;

  constructor(clock: VirtualClock, nodes: number, parts: Parts, isDurable: boolean, isWild: boolean) {
    this.clock = clock;
    this.mesh = new Mesh(clock);
    this.#parts = parts;
    this.settings = isDurable ? durableSettings(clock, nodes, isWild) : settingsOf(clock, nodes);
    const { leaseMs } = this.settings;
    if (leaseMs === undefined) return;
    const { sessions, nodes: living } = this;
    const say = (what: string) => this.say(what);
    const broken = (what: string) => this.broken(what);
    const lose = (boot: string) => this.#lose(boot);
    this.durability = new Durability({ clock, leaseMs, sessions, nodes: living, say, broken, lose });
  }

  async start(): Promise<void> {
    this.say(JSON.stringify(this.settings));
    for (const name of ['a', 'b', 'c'].slice(0, this.settings.nodes)) {
      const started = this.startNode(name);
      // It waits for Redis.
      if (this.durability) await this.clock.advance(100);
      await started;
    }
    await this.clock.advance(100);
    for (let number = 0; number < this.settings.clients; number += 1) this.#addClient(number);
    await this.clock.advance(300);
  }

  async startNode(name: string): Promise<void> {
    const life = (this.#lives.get(name) ?? 0) + 1;
    this.#lives.set(name, life);
    const { settings, clock, mesh } = this;
    const boot = `${name}${life}`;
    const { durability } = this;
    const node = await SimNode.start({
      name: `${name}@simulation`,
      boot,
      settings,
      clock,
      mesh,
      backEnd: this,
      parts: this.#parts,
      place: durability?.place,
    });
    durability?.started(node);
    node.sockets.answered = (socket, sid) => {
      const key = `${boot} ${sid}`;
      const former = this.#held.get(key);
      if (former !== socket && former?.isOpen && former.sid === sid) this.broken(`${sid} has two connections`);
      this.#held.set(key, socket);
    };
    this.nodes.push(node);
  }

  /** It is gone without a word, and so are its sessions. */
  killNode(node: SimNode): void {
    const { machine } = node;
    if (machine) machine.isLost = this.clock.chance(0.5);
    this.say(`${node.boot} is killed${machine?.isLost ? ', and its computer with it' : ''}`);
    this.#end(node);
  }

  #end(node: SimNode): void {
    this.say(`${node.boot} is no more`);
    this.nodes.splice(this.nodes.indexOf(node), 1);
    if (this.durability) {
      this.durability.killed(node);
    } else {
      for (const session of this.sessions.values()) if (session.node === node.boot) session.isGone = true;
    }
    this.#lose(node.boot);
    this.mesh.lose(node.name);
    node.halt();
  }

  /** What is not confirmed may go with its node. */
  #lose(boot: string): void {
    for (const item of this.#unconfirmed.get(boot) ?? []) item.level = 'may';
  }

  /** It ends as planned: others go on with its sessions. */
  async stopNode(node: SimNode): Promise<void> {
    this.say(`${node.boot} is stopped`);
    this.durability?.trouble();
    await node.stop();
    if (this.nodes.includes(node)) this.#end(node);
  }

  anyNode(): SimNode {
    return this.clock.pick(this.nodes);
  }

  #addClient(number: number): void {
    const { isRecoverable } = this.settings;
    const client = new SimClient(`client ${number}`, isRecoverable, () => this.someSockets, this.clock, {
      began: (stream, former) => this.#began(stream, former),
      recovered: ({ sid }) => {
        this.figures.recovered += 1;
        this.say(`${client.name} has ${sid} again`);
      },
      broken: (what) => this.broken(what),
    });
    client.cutShare = this.clock.pick([0, 0.1, 0.5]);
    const { socket } = client;
    // These two are ends that the library leaves to its application.
    socket.on('disconnect', (reason) => {
      this.say(`${client.name} is disconnected: ${reason}`);
      if (reason === 'io server disconnect') this.clock.after(50, () => client.connect());
    });
    socket.on('connect_error', () => {
      if (!socket.active) this.clock.after(50, () => client.connect());
    });
    client.connect();
    this.clients.push(client);
  }

  /** Where a client connects. */
  get someSockets(): SimSockets | undefined {
    return this.nodes.length > 0 ? this.anyNode().sockets : undefined;
  }

  broken(what: string): void {
    this.mistake ??= `at ${this.clock.now}: ${what}`;
  }

  say(what: string): void {
    this.trace.push(`${this.clock.now} ${what}`);
  }

  session(sid: string): Session {
    const session = this.sessions.get(sid);
    if (!session) throw new Error(`the back end was not told of ${sid}`);
    return session;
  }

  /** A client and its session, as far as it knows. */
  someone(): { readonly client: SimClient; readonly sid: string } | undefined {
    const client = this.clock.pick(this.clients);
    const sid = client.stream?.sid;
    return sid === undefined ? undefined : { client, sid };
  }

  // --- the back end

  async asked(asked: Asked): Promise<Answer> {
    const { clock } = this;
    const { endpoint, sid, node } = asked;
    const session = this.sessions.get(sid) ?? new Session(sid, node);
    this.sessions.set(sid, session);
    const event = endpoint.slice(1);
    const isDown = this.isBackEndDown && (event === 'on_connect' || event === 'on_disconnect');
    const isRefused =
      isDown || (!this.isCalm && clock.chance(event === 'on_disconnect' ? 0.1 : event === 'on_connect' ? 0.03 : 0));
    let body = '';
    if (event === 'on_connect' && !isRefused && clock.chance(0.7)) {
      body = JSON.stringify([{ action: 'subscribe', args: ['room.lobby'] }]);
      const lobby = session.in('room.lobby');
      lobby.state = 'unsure';
      lobby.changedAt = clock.now;
    }
    const departs = event === 'on_disconnect';
    if (event !== 'slow' && !(departs && isRefused)) {
      session.told += event.charAt(3);
      if (departs) this.durability?.departs(session, asked);
    }
    this.durability?.reached(event, node);
    session.hooks += 1;
    await new Promise<void>((resolve) =>
      clock.after(event === 'slow' ? clock.between(20, 600) : clock.between(1, 80), resolve),
    );
    session.hooks -= 1;
    session.hookedAt = clock.now;
    return { status: isRefused ? 503 : 200, body };
  }

  // --- the clients

  #began(stream: Stream, former: Stream | undefined): void {
    if (!this.settings.isRecoverable) return;
    this.say(`${stream.sid} begins${former ? ` after ${former.sid}` : ''}`);
    const session = this.session(stream.sid);
    this.durability?.began(session);
    const lobby = session.subscriptions.get('room.lobby');
    if (lobby?.state === 'unsure') {
      lobby.state = 'in';
      lobby.settledAt = this.clock.now;
    }
    if (!former) return;
    this.figures.notRecovered += 1;
    const reason = this.#excuse(former);
    if (reason) this.say(`${former.sid} is not recovered: ${reason}`);
    else if (!this.durability?.isNew(session.node))
      this.broken(`${former.sid} is not recovered for no reason: without connection since ${former.lostAt}`);
  }

  /** Why a session may not be recovered. */
  #excuse(stream: Stream): string | undefined {
    const session = this.session(stream.sid);
    const { bounds, maxBackpressure, maxSlots } = this.settings;
    if (session.stopped || stream.left) return 'it was ended';
    if (session.isGone) return 'its node is gone';
    const excuse = this.durability?.excuse(session, stream, this.settings.bounds.windowMs);
    if (excuse) return excuse;
    if (this.#wasTroubled(session, (stream.lostAt ?? this.clock.now) - troubleMs)) return 'its node may not be reached';
    if (session.lossy) return 'something is lost';
    if (maxSlots < plenty) return 'others may have its slot';
    const isTooOld = (since = this.clock.now) => this.clock.now - since > bounds.windowMs - slackMs;
    if (isTooOld(stream.lostAt)) return 'its client comes too late';
    if (session.wasBusy) return 'it had something to do';
    if (session.moves > 0 && this.#slowAt > (session.deaths[0] ?? 0) - troubleMs) return 'clients had something to do';
    if (session.moves > 0 && this.#isTightBetween) return 'others could not keep everything';
    const isTight = bounds.maxBytes < plenty || maxBackpressure < plenty;
    if (isTight && (session.hasTwin || stream.hasLateAttempt)) return 'another return may have missed too much';
    const since = session.lacksSince(stream);
    if (since === undefined) return undefined;
    return isTight || isTooOld(since) ? 'too much was missed' : undefined;
  }

  // --- what is sent

  /** @param isLossy whether those who handle it at that node may be about to crash, or to refuse it */
  publish(prefix: string, kind: Kind, node = this.anyNode(), isLossy = false): void {
    this.#publish(prefix, kind, node, isLossy, this.clock.chance(0.5));
  }

  /** Publishes through any node, each time when all nodes have what was published before. */
  async walk(channel: string, steps: number): Promise<void> {
    const walk: Step[] = [];
    this.#walks.push(walk);
    for (let left = steps; left > 0 && this.nodes.length > 0; left -= 1) {
      const { number, confirmed } = this.#publish(channel, 'event', this.anyNode(), false, true);
      const before = this.durability?.moving ?? [];
      const missing = new Set(((await confirmed) ?? []).map((name) => name.charAt(0)));
      const unordered = new Set([...before, ...(this.durability?.moving ?? [])]);
      for (const { sid, node } of this.sessions.values()) if (missing.has(node.charAt(0))) unordered.add(sid);
      walk.push({ number, missing, unordered });
    }
  }

  #publish(
    prefix: string,
    kind: Kind,
    node: SimNode,
    isLossy: boolean,
    confirm: boolean,
  ): { readonly number: number; readonly confirmed: Promise<readonly string[]> | undefined } {
    const number = this.#next();
    this.figures.publications += 1;
    const under = channels.filter((channel) => channel === prefix || channel.startsWith(`${prefix}.`));
    this.#published.push({ node: node.boot, channels: under, number, at: this.clock.now });
    const remote = new Map<Item, string>();
    for (const session of this.sessions.values()) {
      for (const channel of under) {
        const isHere = session.node === node.boot;
        const level = this.#level(node, session, channel, isLossy);
        const item = session.published(channel, node.boot, number, this.clock.now, level);
        if (item && (!isHere || this.durability)) remote.set(item, session.node);
      }
    }
    this.say(`publish ${number} to ${prefix} through ${node.boot}: ${kind}${isLossy ? ', perhaps lost' : ''}`);
    const publish = () => node.publish([prefix], publicationOf(number, kind), confirm);
    const published = node.run(publish);
    const confirmed = confirm ? published.then((missing) => missing ?? []) : undefined;
    if (kind === 'slow') this.#slowAt = this.clock.now;
    this.#await(node, remote, confirmed);
    return { number, confirmed };
  }

  #unconfirmedOf(boot: string): Set<Item> {
    const items = this.#unconfirmed.get(boot) ?? new Set();
    this.#unconfirmed.set(boot, items);
    return items;
  }

  /** Until it is confirmed it may go with its node. */
  #await(node: SimNode, items: ReadonlyMap<Item, string>, confirmed: Promise<readonly string[]> | undefined): void {
    if (items.size === 0) return;
    const unconfirmed = this.#unconfirmedOf(node.boot);
    for (const item of items.keys()) unconfirmed.add(item);
    void confirmed?.then((missing) => {
      const names = missing.map((name) => name.charAt(0));
      for (const [item, boot] of items) if (!names.includes(boot.charAt(0))) unconfirmed.delete(item);
    });
  }

  #level(node: SimNode, session: Session, channel: string, isLossy: boolean): Level {
    if (this.durability?.isSplit(session)) return 'lossy';
    if (node.isFrozen) return 'may';
    if (session.node === node.boot) return isLossy ? 'lossy' : 'must';
    return this.#levelFrom(node, session, channel);
  }

  /** What a session of another node can be sure of. */
  #levelFrom(node: SimNode, session: Session, channel: string): Level {
    const { mesh, durability } = this;
    const owner = this.nodes.find(({ boot }) => boot === session.node) ?? durability?.node(session.node);
    // Nobody is there who could miss it, or nobody knows of anybody.
    if (!owner || !mesh.haveMet(node.kernel, owner.kernel)) return 'may';
    const { changedAt = 0, settledAt = 0 } = session.subscriptions.get(channel) ?? {};
    // One that has not taken note of a join is not waited for.
    const frozenAt = Math.max(mesh.frozenAt(node.name), mesh.frozenAt(owner.name));
    if (changedAt < frozenAt + troubleMs && this.clock.now < frozenAt + troubleMs) return 'may';
    // Nor is one that is lost; which does not know of that yet, and believes that it knows who wants what.
    const deceivedSince = mesh.deceivedSince(node.name, owner.name);
    if (deceivedSince !== undefined && settledAt >= deceivedSince) return 'may';
    return this.#isTightBetween ? 'lossy' : 'must';
  }

  get #isTightBetween(): boolean {
    const { maxBytes, resumeMs } = this.settings.links;
    return maxBytes < plenty || resumeMs < 10_000;
  }

  #wasTroubled(session: Session, since: number): boolean {
    if (this.settings.nodes === 1) return false;
    return (this.mesh.troubledAt(`${session.node.charAt(0)}@simulation` as NodeName) ?? 0) >= since;
  }

  send(sid: string): void {
    const number = this.#next();
    const node = this.anyNode();
    const session = this.session(sid);
    // First it may be asked where the session is: who does not wait for the answers is not promised an order.
    const mayBeAway = this.durability && (session.moves > 0 || session.node !== node.boot);
    const strand = mayBeAway ? `${node.boot}: ${number}` : node.boot;
    const item = session.in('alone').add(strand, number, this.clock.now, 'may');
    this.say(`send ${number} to ${sid} through ${node.boot}`);
    node
      .run(() => node.router.runActions(sid, [sendOf(number)]))
      .then(
        () => {
          item.level = session.isAtRisk ? 'may' : 'must';
        },
        () => {},
      );
  }

  #next(): number {
    this.#number += 1;
    return this.#number;
  }

  // --- the end

  /** Everybody comes back, and must hear everything. */
  async calmDown(): Promise<void> {
    const { clock, mesh, durability } = this;
    this.isCalm = true;
    this.isBackEndDown = false;
    durability?.spare();
    for (const client of this.clients) {
      client.reachable = true;
      client.cutShare = 0;
      client.pipe?.stall(false);
    }
    await this.#until(
      () => this.nodes.length === this.settings.nodes && !this.nodes.some(({ name }) => mesh.isTroubled(name)),
    );
    await clock.advance(pingIntervalMs + pingTimeoutMs + 1500);
    if (this.nodes.length > 1) await clock.advance(troubleMs);
    if (durability) {
      await this.#until(() => durability.redis.isWell);
      await clock.advance(4 * this.settings.leaseMs! + 1000);
    }
    // One that has just begun to wait for an answer from a connection that was cut.
    await this.#until(() => this.clients.every(({ socket }) => socket.connected));
    for (const { name, socket } of this.clients) if (!socket.connected) this.broken(`${name} cannot come back`);
    for (const node of this.nodes) for (const prefix of prefixes) this.publish(prefix, 'event', node);
    await clock.advance(1500);
    for (const client of this.clients) this.#check(client);
    for (const node of this.nodes) this.figures.lost += node.counter('clients.recovery.lost');
    this.#checkHolders();
  }

  async #until(condition: () => boolean): Promise<void> {
    for (let tries = 10; tries > 0 && !condition(); tries -= 1) await this.clock.advance(1000);
  }

  #checkHolders(): void {
    const holders = new Set<string>();
    for (const { sockets } of this.nodes) {
      for (const { sid } of sockets.open) {
        if (sid === undefined) continue;
        if (holders.has(sid)) this.broken(`${sid} has two connections that stay`);
        holders.add(sid);
      }
    }
  }

  #check(client: SimClient): void {
    for (const stream of client.streams) {
      this.figures.heard += stream.heard.length;
      const isLive = stream === client.stream && client.socket.connected;
      const session = this.session(stream.sid);
      if (!this.settings.isRecoverable) continue;
      const mistake = session.mistake(stream, isLive, this.#published) ?? this.#walkMistake(stream, session);
      if (mistake) this.broken(`${client.name} ${mistake} (${stream.sid})`);
    }
  }

  #walkMistake({ heard }: Stream, { node, sid }: Session): string | undefined {
    const order = new Map(heard.map(({ number }, at) => [number, at]));
    for (const walk of this.#walks) {
      let last = -1;
      for (const { number, missing, unordered } of walk) {
        const at = order.get(number);
        if (at === undefined || missing.has(node.charAt(0)) || unordered.has(sid)) continue;
        if (at < last) return `hears ${number} too early, before what was confirmed before it was published`;
        last = at;
      }
    }
    return undefined;
  }

  /** Everybody leaves, and nothing must be left. */
  async empty(): Promise<void> {
    for (const client of this.clients) client.stop();
    await this.clock.advance(2 * this.settings.bounds.windowMs + pingIntervalMs + pingTimeoutMs + 3500);
    for (const node of this.nodes) {
      node.kernel.repeated.settle();
      const { leftovers } = node;
      if (leftovers.length > 0) this.broken(`at ${node.boot} there is left: ${leftovers.join(', ')}`);
    }
    if (this.durability) return this.durability.check();
    for (const { sid, told, isGone } of this.sessions.values()) {
      const whole = isGone ? /^c(sr)*s?d?$/ : /^c(sr)*s?d$/;
      if (!whole.test(told)) this.broken(`the back end is told ${told} of ${sid}`);
    }
  }
}
