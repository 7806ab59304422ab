/** What happens in a simulation: chosen by chance, at random moments, often several in one turn of the event loop. */
import type { Cell } from '../../src/kernel/cell.ts';
import { durableHappenings, endings, failovers, troubles, type Weighted } from './durable-happenings.ts';
import type { Cut } from './network.ts';
import { pingIntervalMs, pingTimeoutMs } from './node.ts';
import { channels, prefixes, type World } from './world.ts';

const cuts: readonly Cut[] = ['both_know', 'both_know', 'client_knows', 'server_knows'];

const onEachNode: readonly Weighted[] = [
  [8, (world) => world.publish(world.clock.pick(channels), 'event')],
  [4, (world) => world.publish('room', 'event')],
  [1, (world) => world.publish(world.clock.pick(prefixes), 'sends')],
  [3, (world) => world.publish(world.clock.pick(prefixes), 'slow')],
  [2, burst],
  [5, send],
  [1, echo],
  [3, (world) => change(world, 'subscribe')],
  [2, (world) => change(world, 'unsubscribe')],
  [4, ({ clock, clients }) => clock.pick(clients).cut(clock.pick(cuts))],
  [1, goAway],
  [2, stall],
  [1, returnTwice],
  [1, crashChannel],
  [1, fillChannel],
  [1, fillClient],
  [0.3, crashManager],
  [0.5, leave],
  [0.5, stop],
];
/** Where there are several. */
const betweenNodes: readonly Weighted[] = [
  [2, (world) => void world.walk(world.clock.pick(channels), world.clock.between(2, 6))],
  [3, resetLink],
  [1, freezeNode],
  [0.5, restartNode],
  [1, crashManager],
  [2, losePublishes],
];

function happeningsOf({ clock, settings: { nodes, leaseMs, isWild } }: World): readonly Weighted[] {
  const happenings = nodes > 1 ? [...onEachNode, ...betweenNodes] : onEachNode;
  if (leaseMs === undefined) return happenings;
  const more = nodes === 1 || isWild ? [...endings, ...(clock.chance(0.4) ? troubles : [])] : [];
  if (isWild) more.push(...failovers);
  const all = [...happenings, ...durableHappenings, ...more];
  // Where everything happens, most of it is excused by the rest: each run has other things that hardly ever do, or often.
  return all.map(([weight, happening]) => [weight * clock.pick(shares), happening]);
}

const shares = [0, 0.3, 1, 1, 3];

export async function happen(world: World, count: number): Promise<void> {
  const { clock } = world;
  const happenings = happeningsOf(world);
  const totalWeight = happenings.reduce((sum, [weight]) => sum + weight, 0);
  for (let left = count; left > 0 && world.mistake === undefined; left -= 1) {
    let at = clock.random() * totalWeight;
    const [, happening] = happenings.find(([weight]) => {
      at -= weight;
      return at < 0;
    })!;
    // Without a node nothing happens to one.
    if (world.nodes.length > 0) await happening(world);
    const pause = clock.random();
    if (pause < 0.3) continue;
    if (pause < 0.45) await clock.settle();
    else if (pause < 0.7) await clock.advance(clock.between(1, 10));
    else if (pause < 0.92) await clock.advance(clock.between(10, 100));
    else await clock.advance(clock.between(100, 500));
  }
}

/** So much in one channel that a small journal forgets everything else. */
function burst(world: World): void {
  const channel = world.clock.pick(channels);
  for (let count = world.clock.between(5, 40); count > 0; count -= 1) world.publish(channel, 'event');
}

function send(world: World): void {
  const { sid } = world.someone() ?? {};
  if (sid !== undefined) world.send(sid);
}

function echo(world: World): void {
  const { client, sid } = world.someone() ?? {};
  if (!client || sid === undefined) return;
  client.socket.volatile.emit('ping');
  world.session(sid).echoedAt ??= world.clock.now;
}

function change(world: World, what: 'subscribe' | 'unsubscribe'): void {
  const { sid } = world.someone() ?? {};
  if (sid === undefined) return;
  const channel = world.clock.pick(channels);
  world.say(`${what} ${sid} ${channel}`);
  const node = world.anyNode();
  const changed = node.run(() => node.router[what](sid, [channel]));
  const session = world.session(sid);
  const subscription = session.in(channel);
  if (what === 'unsubscribe') subscription.left(session.node);
  subscription.follow(changed, what === 'subscribe' ? 'in' : 'out', world.clock);
}

// --- the network

/** Longer than the window, perhaps. */
function goAway({ clock, clients, settings }: World): void {
  const client = clock.pick(clients);
  client.reachable = false;
  client.cut(clock.pick(cuts));
  clock.after(clock.between(100, settings.bounds.windowMs + 1000), () => {
    client.reachable = true;
  });
}

/** Until the heartbeat notices, perhaps. */
function stall({ clock, clients }: World): void {
  const { pipe } = clock.pick(clients);
  if (!pipe) return;
  pipe.stall(true);
  clock.after(clock.between(10, pingIntervalMs + 2 * pingTimeoutMs), () => pipe.stall(false));
}

/** Somebody else has what the client has: a tab that was duplicated, or a former attempt of its own. */
function returnTwice(world: World): void {
  const { clock } = world;
  const client = clock.pick(world.clients);
  const { claim } = client;
  if (claim.pid === undefined) return;
  world.session(client.stream!.sid).hasTwin = true;
  world.say(`a twin of ${client.name} returns`);
  const pipe = world.anyNode().sockets.dial('ws://simulation/socket.io/?EIO=4&transport=websocket', true);
  const { client: end } = pipe;
  end.onmessage = ({ data }) => {
    if (String(data).startsWith('0')) end.send(`40${JSON.stringify(claim)}`);
    else if (data === '2') end.send('3');
  };
  clock.after(clock.between(10, 800), () => {
    if (clock.chance(0.5)) end.close();
    else pipe.cut(clock.pick(cuts));
  });
}

// --- crashes and full mailboxes

/** What its actor has not handled is lost. */
async function crashChannel(world: World): Promise<void> {
  const { clock } = world;
  await clock.settle();
  const channel = clock.pick(channels);
  const node = world.anyNode();
  const actor = node.channel(channel);
  if (!actor) return;
  for (let count = clock.between(0, 2); count > 0; count -= 1) world.publish(channel, 'event', node, true);
  world.say(`${channel} crashes at ${node.boot}`);
  for (const session of world.sessions.values()) if (session.node === node.boot) session.crashed(channel);
  node.kill(actor);
  for (let count = clock.between(0, 2); count > 0; count -= 1) world.publish(channel, 'event', node, true);
}

function fillChannel(world: World): void {
  const channel = world.clock.pick(channels);
  const node = world.anyNode();
  const actor = node.channel(channel);
  if (!actor) return;
  const room = full(actor);
  world.publish(channel, 'event', node, true);
  room[Symbol.dispose]();
}

async function fillClient(world: World): Promise<void> {
  const { clock } = world;
  await clock.settle();
  const { sid } = world.someone() ?? {};
  if (sid === undefined) return;
  const session = world.session(sid);
  const node = world.nodes.find(({ boot }) => boot === session.node);
  const actor = node?.client(sid);
  if (!node || !actor) return;
  world.say(`the mailbox of ${sid} is full`);
  const room = full(actor);
  session.isFull = true;
  world.publish(clock.pick(channels), 'slow', node);
  // Deliveries are made in a later turn.
  await clock.settle();
  session.isFull = false;
  room[Symbol.dispose]();
}

/** Neither subscriptions nor publishes go with it; but others may not have told it something. */
async function crashManager(world: World): Promise<void> {
  await world.clock.settle();
  const node = world.anyNode();
  world.say(`the manager of ${node.boot} crashes`);
  world.mesh.disturb(node.name);
  if (node.manager) node.kill(node.manager);
}

/** What others publish is lost at the door of a node, as when its manager crashes with it. */
function losePublishes(world: World): void {
  const { clock, mesh, nodes } = world;
  const node = world.anyNode();
  world.say(`${node.boot} loses what others publish`);
  mesh.losePublishes(node.name, clock.between(1, 50));
  for (const other of nodes) if (other !== node) world.publish(clock.pick(prefixes), 'event', other);
}

/** From now on the actor takes no message more than wait now. */
function full({ actor, mailbox }: Cell): Disposable {
  const room = mailbox.length;
  Object.defineProperty(actor, 'mailboxLimit', { configurable: true, get: () => room });
  return { [Symbol.dispose]: () => Reflect.deleteProperty(actor, 'mailboxLimit') };
}

// --- ends that are wanted

function leave(world: World): void {
  const { clock } = world;
  const client = clock.pick(world.clients);
  world.say(`${client.name} leaves`);
  client.stop();
  clock.after(clock.between(10, 400), () => client.connect());
}

function stop(world: World): void {
  const { sid } = world.someone() ?? {};
  if (sid === undefined) return;
  world.say(`the back end stops ${sid}`);
  world.session(sid).stopped = true;
  const node = world.anyNode();
  node.run(() => node.router.runActions(sid, [{ action: 'stop', args: null, trigger_id: '' }])).catch(() => {});
}

// --- nodes

function resetLink({ clock, mesh, nodes }: World): void {
  const one = clock.pick(nodes);
  const other = clock.pick(nodes);
  if (one !== other)
    mesh.reset(one.name, other.name, clock.chance(0.7) ? clock.between(1, 400) : clock.between(400, 3000));
}

/** Everything waits that comes or goes; perhaps until others give it up for a while. */
function freezeNode(world: World): void {
  const { clock, mesh } = world;
  const node = world.anyNode();
  if (mesh.isFrozen(node.name)) return;
  world.say(`${node.boot} freezes`);
  mesh.freeze(node.name, true);
  node.sockets.freeze(true);
  clock.after(clock.between(50, 2500), () => {
    if (!world.nodes.includes(node)) return;
    world.say(`${node.boot} goes on`);
    mesh.freeze(node.name, false);
    node.sockets.freeze(false);
  });
}

function restartNode(world: World): void {
  const { clock, nodes, settings } = world;
  // Somebody has to be there for whom clients can turn to.
  if (nodes.length < settings.nodes) return;
  const node = world.anyNode();
  world.killNode(node);
  clock.after(clock.between(100, 2000), () => void world.startNode(node.name.charAt(0)));
}
