/** What a simulation consists of, what is known about it, and what is checked. What happens in it is in happenings.ts. */
import type { Publication } from '../../src/plugins/types.ts';
import type { ActionCall } from '../../src/protocol/backend/action-call.ts';
import { EventPacket } from '../../src/protocol/packet.ts';
import { SimClient, type Stream } from './client.ts';
import type { VirtualClock } from './clock.ts';
import { Session } from './expectations.ts';
import {
  type Answer,
  type BackEnd,
  type Parts,
  pingIntervalMs,
  pingTimeoutMs,
  type Settings,
  SimNode,
} from './node.ts';

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

export type Kind = 'event' | 'sends' | 'slow';

export const channels = ['room.lobby', 'room.a', 'room.b'];
/** What is published to: a channel, or all of them. */
export const prefixes = ['room', ...channels];
/** By how much a time of a client may differ from that of the server: what a message takes, and ticks of timers. */
const slackMs = 100;
/** What one event takes in a journal, bytes: roughly. */
const entryBytes = 250;
const plenty = 1_000_000;

export class World implements BackEnd {
  readonly clock: VirtualClock;
  readonly settings: Settings;
  readonly figures: Figures = { publications: 0, heard: 0, recovered: 0, notRecovered: 0, lost: 0 };
  /** What has happened. */
  readonly trace: string[] = [];
  readonly sessions = new Map<string, Session>();
  readonly clients: SimClient[] = [];
  node!: SimNode;
  mistake: string | undefined;
  /** Nothing breaks any more. */
  isCalm = false;
  #number = 0;

  constructor(clock: VirtualClock) {
    this.clock = clock;
    const clients = clock.between(2, 4);
    this.settings = {
      clients,
      bounds: {
        windowMs: clock.between(1500, 4000),
        maxBytes: clock.chance(0.35) ? entryBytes * clock.between(3, 30) : plenty,
      },
      maxBackpressure: clock.chance(0.2) ? clock.between(300, 1500) : plenty,
      maxSlots: clock.chance(0.1) ? clients : plenty,
    };
  }

  async start(parts: Parts): Promise<void> {
    this.say(JSON.stringify(this.settings));
    this.node = await SimNode.start('a@simulation', this.settings, this.clock, this, parts);
    const held = new Map<string, { readonly isOpen: boolean }>();
    this.node.sockets.answered = (socket, sid) => {
      if (held.get(sid)?.isOpen) this.broken(`${sid} has two connections`);
      held.set(sid, socket);
    };
    for (let number = 0; number < this.settings.clients; number += 1) this.#addClient(number);
    await this.clock.advance(300);
  }

  #addClient(number: number): void {
    const client = new SimClient(`client ${number}`, this.node.sockets, this.clock, {
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
      if (reason === 'io server disconnect') this.clock.after(50, () => socket.connect());
    });
    socket.on('connect_error', () => {
      if (!socket.active) this.clock.after(50, () => socket.connect());
    });
    socket.connect();
    this.clients.push(client);
  }

  broken(what: string): void {
    this.mistake ??= `at ${this.clock.now}: ${what}`;
  }

  say(what: string): void {
    this.trace.push(`${this.clock.now} ${what}`);
  }

  session(sid: string): Session {
    const present = this.sessions.get(sid);
    if (present) return present;
    const made = new Session(sid);
    this.sessions.set(sid, made);
    return made;
  }

  /** A client and its session, as far as it knows. */
  someone(): { readonly client: SimClient; readonly sid: string } | undefined {
    const client = this.clock.pick(this.clients);
    const sid = client.stream?.sid;
    return sid === undefined ? undefined : { client, sid };
  }

  // --- the back end

  async asked(endpoint: string, sid: string): Promise<Answer> {
    const { clock } = this;
    const session = this.session(sid);
    const event = endpoint.slice(1);
    const isRefused = !this.isCalm && clock.chance(event === 'on_disconnect' ? 0.1 : event === 'on_connect' ? 0.03 : 0);
    let body = '';
    if (event === 'on_connect' && !isRefused && clock.chance(0.7)) {
      body = JSON.stringify([{ action: 'subscribe', args: ['room.lobby'] }]);
      session.in('room.lobby').state = 'unsure';
    }
    const departs = event === 'on_disconnect';
    if (event !== 'slow' && !(departs && isRefused)) session.told += event.charAt(3);
    await new Promise<void>((resolve) =>
      clock.after(event === 'slow' ? clock.between(20, 600) : clock.between(1, 80), resolve),
    );
    return { status: isRefused ? 503 : 200, body };
  }

  // --- the clients

  #began(stream: Stream, former: Stream | undefined): void {
    this.say(`${stream.sid} begins${former ? ` after ${former.sid}` : ''}`);
    const lobby = this.session(stream.sid).subscriptions.get('room.lobby');
    if (lobby?.state === 'unsure') lobby.state = 'in';
    if (!former) return;
    this.figures.notRecovered += 1;
    const reason = this.#excuse(former);
    if (reason) this.say(`${former.sid} is not recovered: ${reason}`);
    else this.broken(`${former.sid} is not recovered for no reason: without connection since ${former.lostAt}`);
  }

  /** Why a session may not be recovered. */
  #excuse(stream: Stream): string | undefined {
    const session = this.session(stream.sid);
    const { bounds, maxBackpressure, maxSlots } = this.settings;
    if (session.stopped || stream.left) return 'it was ended';
    if (session.lossy) return 'something is lost';
    if (maxSlots < plenty) return 'others may have its slot';
    const isTooOld = (since = this.clock.now) => this.clock.now - since > bounds.windowMs - slackMs;
    if (isTooOld(stream.lostAt)) return 'its client comes too late';
    const isTight = bounds.maxBytes < plenty || maxBackpressure < plenty;
    if (isTight && (session.hasTwin || stream.hasLateAttempt)) return 'another return may have missed too much';
    const since = session.lacksSince(stream);
    if (since === undefined) return undefined;
    return isTight || isTooOld(since) ? 'too much was missed' : undefined;
  }

  // --- what is sent

  /** @param isLossy whether those who handle it may be about to crash, or to refuse it */
  publish(prefix: string, kind: Kind, isLossy = false): void {
    const number = this.#next();
    this.figures.publications += 1;
    const under = channels.filter((channel) => channel === prefix || channel.startsWith(`${prefix}.`));
    for (const session of this.sessions.values()) {
      for (const channel of under) session.published(channel, number, this.clock.now, isLossy);
    }
    this.say(`publish ${number} to ${prefix}: ${kind}${isLossy ? ', perhaps lost' : ''}`);
    this.node.publish([prefix], publicationOf(number, kind));
  }

  send(sid: string): void {
    const number = this.#next();
    const item = this.session(sid).in('alone').add(number, this.clock.now, 'may');
    this.say(`send ${number} to ${sid}`);
    this.node.router.runActions(sid, [sendOf(number)]).then(
      () => {
        item.level = 'must';
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
    const { clock } = this;
    this.isCalm = true;
    for (const client of this.clients) {
      client.reachable = true;
      client.cutShare = 0;
      client.pipe?.stall(false);
    }
    await clock.advance(pingIntervalMs + pingTimeoutMs + 1500);
    // One that has just begun to wait for an answer from a connection that was cut.
    for (let tries = 5; tries > 0 && this.clients.some(({ socket }) => !socket.connected); tries -= 1) {
      await clock.advance(1000);
    }
    for (const { name, socket } of this.clients) if (!socket.connected) this.broken(`${name} cannot come back`);
    for (const prefix of prefixes) this.publish(prefix, 'event');
    await clock.advance(1500);
    for (const client of this.clients) this.#check(client);
    this.figures.lost = this.node.counter('clients.recovery.lost');
  }

  #check(client: SimClient): void {
    for (const stream of client.streams) {
      this.figures.heard += stream.heard.length;
      const isLive = stream === client.stream && client.socket.connected;
      const mistake = this.session(stream.sid).mistake(stream, isLive);
      if (mistake) this.broken(`${client.name} ${mistake} (${stream.sid})`);
    }
  }

  /** Everybody leaves, and nothing must be left. */
  async empty(): Promise<void> {
    const { clock, node } = this;
    for (const client of this.clients) client.stop();
    await clock.advance(2 * this.settings.bounds.windowMs + pingIntervalMs + pingTimeoutMs + 3500);
    node.kernel.repeated.settle();
    const { leftovers } = node;
    if (leftovers.length > 0) this.broken(`there is left: ${leftovers.join(', ')}`);
    for (const { sid, told } of this.sessions.values()) {
      if (!/^c(sr)*s?d$/.test(told)) this.broken(`the back end is told ${told} of ${sid}`);
    }
  }
}

function sendOf(number: number): ActionCall {
  return { action: 'send', args: { name: 'e', args: [number] }, trigger_id: '' };
}

function publicationOf(number: number, kind: Kind): Publication {
  if (kind === 'event') return { type: 'event', packet: new EventPacket('e', `[${number}]`) };
  const slow = { action: 'dispatch', args: { name: 'slow', args: [] }, trigger_id: '' };
  return { type: 'actions', actions: kind === 'slow' ? [slow, sendOf(number)] : [sendOf(number)] };
}
