/**
 * A client as plugins see it: what hooks and actions may do. It acts for the actor while that lives; afterwards (a hook may
 * still wait for something) nothing it does has an effect any more.
 */
import type { Ref } from '../../kernel/types.ts';
import { HiveError } from '../../observe/errors.ts';
import type { Log } from '../../observe/logger.ts';
import { Answered } from '../../plugins/hooks/hp.ts';
import type { HookDescriptors } from '../../plugins/plugin-set.ts';
import type { ActionCall, Client, ClientState, Privilege, State, Trigger } from '../../plugins/types.ts';
import type { ClientAck, ClientEvent, EventPacket, ServerPacket } from '../../protocol/packet.ts';
import type { DurableSession, RecordSource } from '../../sessions/durable/durable-session.ts';
import type { DurableSessions } from '../../sessions/durable/durable-sessions.ts';
import type { PastRecord } from '../../sessions/durable/past-life.ts';
import type { CloseReason, Handshake } from '../../web/client/client-handle.ts';
import type { ClientView } from '../../web/monitor/monitor-host.ts';
import { runActions } from './actions.ts';
import { Asks } from './asks.ts';
import type { ClientServices } from './client-services.ts';
import { AdoptedState, Claim, DurableState } from './durable-state.ts';
import { type EventHooks, type HookTable, withHooks, withoutHooks } from './hook-table.ts';
import { runHooks } from './hooks-runner.ts';
import { type Identity, metadataText } from './metadata.ts';
import type { ClientOutput } from './output.ts';
import { errorPacket, publicError, shortSid } from './public-error.ts';
import type { HookChange, SessionRecord } from './session-record.ts';
import { Shown } from './shown.ts';
import { EventTrigger, isSpecialEvent } from './triggers.ts';
import { UserState } from './users.ts';

/** How deep events may dispatch one another. */
const maxDispatchDepth = 16;

/** The life behind a client: its actor. */
export interface Life {
  readonly alive: boolean;
  readonly signal: AbortSignal;
  /** The actor, as long as it takes events. */
  readonly self?: Ref<ClientEvent>;
  /** Another node has claimed the session, and told its departure. @param hasLeft as planned: it goes on there */
  fenced(hasLeft: boolean): void;
  /** It has. */
  readonly isFenced?: boolean;
}

export class PluginClient implements Client, Identity, RecordSource {
  readonly sid: string;
  readonly namespace: string;
  connectedAt = Date.now();
  /** The actor; its departure, if that outlives the actor. */
  life: Life;
  readonly #context: ClientServices;
  readonly #output: ClientOutput;
  /** There until `on_connect` is over. */
  #handshake: Handshake | undefined;
  #hooks: HookTable;
  #state: ClientState | undefined;
  failedHook = 0;
  #depth = 0;
  /** Hooks of the events that were dispatched since the outermost of them. */
  #dispatchedHooks = 0;
  #silent = false;
  /** Its record, where sessions are durable. */
  #session: DurableSession | undefined;
  #claim: Claim | undefined;
  #suspendedAt: number | undefined;
  #suspendedFor: CloseReason | undefined;
  #hookChanges: readonly HookChange[] | undefined;
  /** Those that it is about to be in: it has been taken over from a node that is gone. */
  #joining: readonly string[] | undefined;
  #departure: SessionRecord['d'];
  /** What it was asked, if it ever was. */
  #asks: Asks | undefined;
  /** Events that hooks were run for. */
  #events = 0;
  /** The number of the one that they run for now. */
  #event = 0;

  constructor(
    context: ClientServices,
    identity: Pick<Identity, 'sid' | 'namespace'>,
    handshake: Handshake | undefined,
    life: Life,
    output: ClientOutput,
  ) {
    this.#context = context;
    this.sid = identity.sid;
    this.namespace = identity.namespace;
    this.#handshake = handshake;
    this.life = life;
    this.#output = output;
    this.#hooks = context.hooks;
  }

  get node(): string {
    return this.#context.node;
  }

  get alive(): boolean {
    return this.life.alive;
  }

  get signal(): AbortSignal {
    return this.life.signal;
  }

  get log(): Log {
    return this.#context.log.child({ sid: shortSid(this.sid) });
  }

  /** @throws HiveError `stopped` once the client has ended: a hook that still runs must not revive its state */
  get state(): ClientState {
    if (!this.#state || !this.alive) throw new HiveError('stopped', 'The session has ended.');
    return this.#state;
  }

  // --- where the session outlives its node

  /** Opens the state. Where sessions are durable, this one is stored before any hook runs. */
  open(): ClientState | Promise<ClientState> {
    const { plugins, durable } = this.#context;
    if (!durable) return plugins.stateManager.open(this.sid, plugins.initialState);
    this.#claim = new Claim();
    return this.#store(durable, plugins.stateManager.open(this.sid, plugins.initialState, this.#claim));
  }

  async #store(durable: DurableSessions, opening: ClientState | Promise<ClientState>): Promise<ClientState> {
    const state = await opening;
    this.#state = state;
    await durable.open(this);
    return this.#durable(state);
  }

  /** The state as part of the record, once there is one. */
  #durable(state: ClientState): ClientState {
    const { durable } = this.#context;
    const session = this.#session;
    return durable && session ? new DurableState(state, session, durable, this.#isStateInRecord) : state;
  }

  /** Otherwise its manager keeps it where others find it. */
  get #isStateInRecord(): boolean {
    return this.#context.plugins.stateManager.adopt === undefined;
  }

  /** Goes on with a session of another node, for its departure. */
  adoptDeparture(record: SessionRecord, epoch: number): void {
    this.#departure = record.d ?? { p: epoch, e: 1, r: 'node_lost' };
    this.#event = this.#departure.e;
    this.#claim = new Claim(epoch);
    this.adopt(record);
    this.#silent = true;
  }

  /** Goes on with a session of another node. */
  adopt(record: SessionRecord): ClientState {
    const { stateManager } = this.#context.plugins;
    this.connectedAt = record.c;
    for (const change of record.h ?? []) {
      if ('add' in change) this.addHooks(change.add);
      else this.removeHooks(change.remove);
    }
    this.#hookChanges = record.h;
    this.#suspendedAt = record.u;
    this.#suspendedFor = record.w;
    this.#joining = record.m;
    this.#claim ??= new Claim();
    this.#claim.session = this.#session;
    const claim = this.#claim;
    const open = () => stateManager.adopt?.(this.sid, claim) ?? stateManager.open(this.sid, record.s ?? {}, claim);
    const state = this.#isStateInRecord ? open() : new AdoptedState(async () => open());
    this.#state = this.#durable(state instanceof Promise ? new AdoptedState(() => state) : state);
    return this.#state;
  }

  kept(session: DurableSession): void {
    this.#session = session;
    if (this.#claim) this.#claim.session = session;
    // One whose departure was adopted has its state already; that of an adopted client is opened later.
    if (this.#departure && this.#state) this.#state = this.#durable(this.#state);
  }

  record(): SessionRecord {
    const state = this.#isStateInRecord ? this.#state?.get() : undefined;
    const s = state instanceof Promise ? undefined : state;
    const { namespace: n, connectedAt: c } = this;
    const output = this.#output;
    const r = output.logRecord;
    const m = r && output.hasStarted ? this.#channels : undefined;
    const x = output.former;
    const k = s ? undefined : this.#context.users?.userOf(this.sid);
    return {
      n,
      c,
      ...(r && { r: { ...r, owner: this.#session?.owner ?? '' }, m, u: this.#suspendedAt, w: this.#suspendedFor }),
      ...(x.length > 0 && { x: x as readonly PastRecord[] }),
      ...(s && { s }),
      ...(k !== undefined && { k }),
      ...(this.#hookChanges && { h: this.#hookChanges }),
      ...(this.#departure && { d: this.#departure }),
    };
  }

  get #channels(): readonly string[] {
    const joined = this.#context.memberships.channelsOf(this.#output);
    return this.#joining ? [...new Set([...this.#joining, ...joined])] : joined;
  }

  /** It has joined the channels in which it was at a node that is gone. */
  joined(): void {
    this.#joining = undefined;
  }

  /** Resolves when its record is stored as it is now, or Redis is away. */
  async stored(): Promise<void> {
    await this.#session?.write();
  }

  /** The client has lost its connection, or has one again. */
  set suspendedFor(reason: CloseReason | undefined) {
    if (reason) this.#asks?.fail(suspended());
    this.#suspendedAt = reason && (this.#suspendedAt ?? Date.now());
    this.#suspendedFor = reason;
    this.changed();
  }

  /** Something of its record has changed. */
  changed(): Promise<unknown> | undefined {
    return this.#session && !this.#silent ? this.#session.write() : undefined;
  }

  fenced(hasLeft: boolean): void {
    this.life.fenced(hasLeft);
  }

  /**
   * Stores that the departure is told from now on. Resolves to whether it is this node that tells it; undefined if there is nobody else
   * who might.
   */
  beginDeparture(reason: CloseReason): Promise<boolean> | undefined {
    if (!this.#session) return undefined;
    this.#departure ??= { p: this.epoch, e: this.#event, r: reason };
    return this.#isOurs(this.#session);
  }

  /** A write that has failed says nothing, if the node stood still meanwhile. */
  async #isOurs(session: DurableSession): Promise<boolean> {
    await session.write();
    await this.#context.durable?.certainty();
    return !session.isOver;
  }

  get epoch(): number {
    return this.#departure?.p ?? this.#session?.epoch ?? 0;
  }

  // --- for the actor

  /** The store is open. @param record of a session of another node */
  opened(state: ClientState, record: SessionRecord | undefined): void {
    const { users, plugins, shownKeys: keys } = this.#context;
    const first = record?.s ?? plugins.initialState;
    users?.put(this.sid, record?.k ?? users.userIn(first));
    const shown = keys && this.#show(keys);
    const watched = shown ? shown.watch(state, this.#isStateInRecord || !record ? first : state.get()) : state;
    const changed = () => {
      if (shown) this.#context.memberships.shown?.(this.#output);
      return this.changed();
    };
    this.#state = users ? new UserState(this.sid, watched, users, changed) : watched;
  }

  /** What others in its channels may know of it. */
  #show(keys: ReadonlySet<string>): Shown {
    const { memberships, users } = this.#context;
    const output = this.#output;
    const shown = new Shown({
      sid: this.sid,
      keys,
      userOf: () => users?.userOf(this.sid),
      isElsewhere: () => this.life.isFenced === true,
      changed: () => memberships.shown?.(output),
    });
    output.presence = shown;
    return shown;
  }

  /** The state for operators: as long as it is there, however the client stands. */
  get shownState(): State | Promise<State> {
    return this.#state?.get() ?? {};
  }

  /** What operators may see. */
  async view(): Promise<Pick<ClientView, 'sid' | 'node' | 'namespace' | 'durable' | 'state'>> {
    const { sid, node, namespace } = this;
    return { sid, node, namespace, durable: this.#session?.view() ?? null, state: await this.shownState };
  }

  /** The last of all: forgets the state, for hooks that still run, too. */
  forgetState(): void | Promise<void> {
    const state = this.#state;
    this.#state = undefined;
    const pending: unknown = state?.cleanup();
    // A store may return what its deletion returns.
    if (pending) return Promise.resolve(pending as Promise<void>);
  }

  get hooks(): HookTable {
    return this.#hooks;
  }

  /** `on_connect` is over. */
  connected(): void {
    this.#handshake = undefined;
  }

  /** The end sequence has begun: what hooks send from now on reaches nobody. */
  silence(): void {
    this.#silent = true;
    this.#asks?.fail(ended());
  }

  /** Runs the hooks of an event, if it has any; none of a session that others have, though the event came before that was known. */
  run(trigger: Trigger, hooks = this.#hooks.get(trigger.name)): void | Promise<void> {
    if (!hooks) return;
    const session = this.#session;
    const uncertain = session && this.#context.durable?.certainty();
    if (!uncertain) return session?.isOver ? undefined : this.#run(trigger, hooks);
    return uncertain.then(() => (this.alive && !session.isOver ? this.#run(trigger, hooks) : undefined));
  }

  #run(trigger: Trigger, hooks: EventHooks): void | Promise<void> {
    this.countEvent();
    return runHooks(this, hooks, trigger, this.#context.metrics);
  }

  /** Hooks are about to run for the next event. */
  countEvent(): void {
    this.#events += 1;
    this.#event = this.#events;
  }

  // --- questions

  ask(event: EventPacket, timeoutMs: number): Promise<readonly unknown[]> {
    if (this.#suspendedFor !== undefined) return Promise.reject(suspended());
    if (this.#silent || !this.alive) return Promise.reject(ended());
    this.#asks ??= new Asks(this.#context.asks);
    return this.#asks.ask(event, timeoutMs, (packet) => this.send(packet));
  }

  /** Whether somebody waits for this acknowledgement. */
  acknowledged({ id, args }: ClientAck): boolean {
    return this.#asks?.acknowledged(id, args) ?? false;
  }

  receive(event: ClientEvent): void {
    const { self } = this.life;
    if (!self || !this.alive || self.tell(event)) return;
    this.report(new HiveError('overloaded', `Too many messages are waiting: ${event.name} is dropped.`));
  }

  // --- for plugins

  send(packet: ServerPacket): void {
    if (!this.#silent && this.alive) this.#output.send(packet);
  }

  report(error: HiveError): void {
    this.#context.metrics.errors.value += 1;
    this.tell(error);
  }

  /** Sends the error as far as clients may know it, and logs it as it is. */
  tell(error: HiveError): void {
    this.send(errorPacket(publicError(error, this.sid, this.#context)));
  }

  get idempotencyKey(): string {
    return this.#silent ? `${this.sid}/end` : `${this.sid}/${this.epoch}.${this.#event}`;
  }

  metadata(trigger: Trigger): string | Promise<string> {
    const event = this.#event;
    const handshake = trigger.name === 'on_connect' ? this.#handshake : undefined;
    const state = this.state.get();
    if (!(state instanceof Promise)) return metadataText(this, trigger, event, state, handshake);
    return state.then((pairs: State) => metadataText(this, trigger, event, pairs, handshake));
  }

  runActions(events: readonly ActionCall[]): void | Promise<void> {
    if (!this.alive) return;
    if (this.#silent) return this.#runLastActions(events);
    return runActions(this, this.#context.plugins.actions, events);
  }

  /** A back end that has answered `on_disconnect` is not to be asked again because its actions fail. */
  #runLastActions(events: readonly ActionCall[]): void | Promise<void> {
    try {
      return runActions(this, this.#context.plugins.actions, events)?.catch((error: unknown) => {
        throw answered(error);
      });
    } catch (error) {
      throw answered(error);
    }
  }

  dispatch(event: ClientEvent, triggerId: string): void | Promise<void> {
    if (!this.alive) return;
    if (isSpecialEvent(event.name)) throw reserved(event.name);
    if (this.#depth >= maxDispatchDepth) {
      throw new HiveError('dispatch_too_deep', `Events dispatch each other more than ${maxDispatchDepth} levels deep.`);
    }
    const hooks = this.#hooks.get(event.name);
    if (!hooks) return;
    this.#dispatchedHooks = hooks.hooks.length + (this.#depth === 0 ? 0 : this.#dispatchedHooks);
    if (this.#dispatchedHooks > this.#context.maxHooks) {
      throw this.#tooManyHooks('Events dispatch each other and run more');
    }
    this.#depth += 1;
    const current = this.#event;
    let waits = false;
    try {
      const pending = this.run(new EventTrigger(event, triggerId), hooks);
      if (!pending) return;
      waits = true;
      return pending.finally(() => {
        this.#depth -= 1;
        this.#event = current;
      });
    } finally {
      if (!waits) {
        this.#depth -= 1;
        this.#event = current;
      }
    }
  }

  async subscribe(channels: readonly string[], privilege: Privilege, replay?: number): Promise<void> {
    const { memberships } = this.#context;
    if (this.alive && channels.length > 0) await memberships.join(this.#output, channels, privilege, replay);
  }

  async unsubscribe(prefixes: readonly string[], privilege: Privilege): Promise<void> {
    if (this.alive && prefixes.length > 0) await this.#context.memberships.leave(this.#output, prefixes, privilege);
  }

  addHooks(hooks: HookDescriptors): void {
    const { plugins, metrics, maxHooks, maxEvents } = this.#context;
    let events = this.#hooks.size;
    for (const [event, added] of Object.entries(hooks)) {
      const present = this.#hooks.get(event)?.hooks.length ?? 0;
      if (present === 0 && added.length > 0) events += 1;
      if (present + added.length > maxHooks) throw this.#tooManyHooks('An event would have more');
    }
    if (events > maxEvents) {
      const limit = `${maxEvents} events, those of the configuration included (clients.max_added_events)`;
      throw new HiveError('limit_exceeded', `A client would have hooks for more than ${limit}.`);
    }
    this.#hooks = withHooks(this.#hooks, plugins.createHooks(hooks), metrics);
    this.#changed({ add: hooks });
  }

  #tooManyHooks(what: string): HiveError {
    const limit = `${this.#context.maxHooks} hooks (clients.max_hooks_per_event)`;
    return new HiveError('limit_exceeded', `${what} than ${limit}.`);
  }

  removeHooks(events: readonly string[]): void {
    this.#hooks = withoutHooks(this.#hooks, events);
    this.#changed({ remove: events });
  }

  #changed(change: HookChange): void {
    if (!this.#session || this.#silent) return;
    this.#hookChanges = [...(this.#hookChanges ?? []), change];
    this.changed();
  }
}

function suspended(): HiveError {
  return new HiveError('client_suspended', 'The client has lost its connection, and may come back.');
}

function ended(): HiveError {
  return new HiveError('bad_session_id', 'The client has gone.');
}

/** The failure of an action, as one that comes after the answer. */
function answered(error: unknown): unknown {
  if (!(error instanceof HiveError)) return error;
  return new Answered(error.code, error.message, { summary: error.summary, cause: error });
}

/** The failure of a client or back end that uses the name of a special event. */
export function reserved(event: string): HiveError {
  return new HiveError('bad_external_event', `The event ${event} is reserved for the server.`);
}
