/** What happens where sessions outlive their nodes, besides what happens anywhere. */
import type { World } from './world.ts';

type Happening = (world: World) => void | Promise<void>;

export type Weighted = readonly [weight: number, happening: Happening];

export const durableHappenings: readonly Weighted[] = [
  [2, (world) => killSome(world, 1)],
  [0.5, (world) => killSome(world, world.nodes.length)],
  [6, (world) => world.clock.advance(world.settings.leaseMs! / 2)],
];

/** They come back as other boots, after a moment or more than a lease. */
function killSome(world: World, count: number): void {
  const { clock, settings } = world;
  for (let left = count; left > 0; left -= 1) {
    const node = world.anyNode();
    world.killNode(node);
    const awayMs = clock.chance(0.5) ? clock.between(1, 300) : clock.between(300, 3 * settings.leaseMs!);
    clock.after(awayMs, () => void world.startNode(node.name.charAt(0)));
  }
}
