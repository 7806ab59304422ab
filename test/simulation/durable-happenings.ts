/** What happens where sessions outlive their nodes, besides what happens anywhere. */
import { steps } from './durability.ts';
import type { SimNode } from './node.ts';
import type { World } from './world.ts';

type Happening = (world: World) => void | Promise<void>;

export type Weighted = readonly [weight: number, happening: Happening];

export const durableHappenings: readonly Weighted[] = [
  [1.5, (world) => killSome(world, 1)],
  [0.3, (world) => killSome(world, world.nodes.length)],
  [1.5, killInTheMidst],
  [6, (world) => world.clock.advance(world.settings.leaseMs! / 2)],
];
/** Of nodes and back ends, as planned. */
export const endings: readonly Weighted[] = [
  [0.5, closeBackEnd],
  [1, stopNode],
];
/** What lets nodes take one another for dead, or takes Redis from them. */
export const troubles: readonly Weighted[] = [
  [0.7, standStill],
  [1, part],
  [0.7, restartRedis],
  [0.5, freezeRedis],
];
/** What some runs fail with. */
export const failovers: readonly Weighted[] = [[0.5, loseWrites]];

/** As an operator does it, to start it again. */
function stopNode(world: World): void {
  const { clock, nodes, settings } = world;
  if (nodes.length < settings.nodes) return;
  const node = world.anyNode();
  void world
    .stopNode(node)
    .then(() => clock.after(clock.between(1, 1000), () => void world.startNode(node.name.charAt(0))));
}

function killSome(world: World, count: number): void {
  for (let left = count; left > 0; left -= 1) kill(world, world.anyNode());
}

/** It comes back as another boot, after a moment or more than a lease. */
function kill(world: World, node: SimNode): void {
  const { clock, settings } = world;
  world.killNode(node);
  const awayMs = clock.chance(0.5) ? clock.between(1, 300) : clock.between(300, 3 * settings.leaseMs!);
  clock.after(awayMs, () => void world.startNode(node.name.charAt(0)));
}

function killInTheMidst(world: World): void {
  const { clock, durability } = world;
  const step = clock.pick(steps);
  durability!.strikeAt(step, clock.between(1, step === 'sent' || step === 'executed' ? 6 : 2), (node) =>
    kill(world, node),
  );
}

// --- nodes that stand still, or cannot reach one another

/** Nothing of it runs; perhaps until others have its sessions. */
function standStill(world: World): void {
  const { clock, mesh, settings } = world;
  const node = world.anyNode();
  const { machine } = node;
  if (!machine || mesh.isFrozen(node.name)) return;
  world.say(`${node.boot} stands still`);
  world.durability?.trouble();
  machine.freeze();
  mesh.freeze(node.name, true);
  node.sockets.freeze(true);
  clock.after(clock.between(50, 3 * settings.leaseMs!), () => {
    if (!world.nodes.includes(node)) return;
    world.say(`${node.boot} goes on`);
    const wakesFirst = clock.chance(0.5);
    if (wakesFirst) machine.goOn();
    mesh.freeze(node.name, false);
    node.sockets.freeze(false);
    if (!wakesFirst) machine.goOn();
  });
}

/** From all other nodes, from Redis, or from both. */
function part(world: World): void {
  const { clock, mesh, nodes, settings } = world;
  const node = world.anyNode();
  const awayMs = clock.between(50, 3 * settings.leaseMs!);
  const kind = clock.pick(['peers', 'redis', 'both']);
  world.say(`${node.boot} is parted from ${kind} for ${awayMs} ms`);
  world.durability?.trouble();
  if (kind !== 'redis') for (const other of nodes) if (other !== node) mesh.reset(node.name, other.name, awayMs);
  if (kind !== 'peers') partFromRedis(world, node, awayMs);
}

function partFromRedis({ clock, durability }: World, { machine }: SimNode, awayMs: number): void {
  const { redis } = durability!;
  if (!machine || redis.partedFrom.has(machine)) return;
  redis.partedFrom.add(machine);
  durability!.redisTrouble();
  clock.after(awayMs, () => {
    durability!.redisTrouble();
    redis.partedFrom.delete(machine);
  });
}

// --- Redis

/** It ends, and is there again with what it had. */
function restartRedis(world: World): void {
  const { clock, durability, settings } = world;
  const { redis } = durability!;
  if (!redis.isWell) return;
  const awayMs = clock.chance(0.6) ? clock.between(5, 300) : clock.between(300, 3 * settings.leaseMs!);
  world.say(`Redis ends, and will be back in ${awayMs} ms`);
  durability!.redisTrouble();
  redis.leave();
  clock.after(awayMs, () => {
    durability!.redisTrouble();
    redis.comeBack();
  });
}

/** A replica takes its place, which lacks what was written last. */
function loseWrites(world: World): void {
  const { clock, durability } = world;
  const { redis } = durability!;
  if (!redis.isWell) return;
  const lostMs = clock.chance(0.8) ? clock.between(1, 100) : Number.POSITIVE_INFINITY;
  redis.model.copy(lostMs === Number.POSITIVE_INFINITY);
  clock.after(Math.min(lostMs, 100), () => {
    if (redis.isAway) return;
    world.say(`Redis fails over, and loses ${lostMs === Number.POSITIVE_INFINITY ? 'everything' : `${lostMs} ms`}`);
    durability!.lostWrites();
    redis.leave();
    redis.model.restore();
    clock.after(clock.between(5, 200), () => {
      durability!.redisTrouble();
      redis.comeBack();
    });
  });
}

function freezeRedis(world: World): void {
  const { clock, durability, settings } = world;
  const { redis } = durability!;
  if (!redis.isWell) return;
  world.say('Redis stands still');
  durability!.redisTrouble();
  redis.standStill();
  clock.after(clock.between(5, 2 * settings.leaseMs!), () => {
    durability!.redisTrouble();
    redis.goOn();
  });
}

function closeBackEnd(world: World): void {
  const { clock } = world;
  world.say('the back end is down');
  world.isBackEndDown = true;
  clock.after(clock.between(10, 2000), () => {
    world.isBackEndDown = false;
  });
}
