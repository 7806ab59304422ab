import assert from 'node:assert/strict';
import { createRequire } from 'node:module';
import { test } from 'node:test';
import { never, Puppet, TestKernel, within } from '../../support/actors.ts';
import { eventually } from '../../support/eventually.ts';

interface Parent {
  childStopped(child: unknown): void;
}
const require = createRequire(import.meta.url);
const { Actor: NactActor } = require('nact/lib/actor') as { Actor: { prototype: Parent } };
const { start } = require('nact/lib/system') as { start(): { system: { name: string } } };
const { find } = require('nact/lib/system-map') as { find(system: string, reference: object): Parent };

const system = start();
const nactSystem = Object.getPrototypeOf(find(system.system.name, system)) as Parent;

/** How many of nact's actors have left their parents. */
let stopped = 0;
for (const parent of [NactActor.prototype, nactSystem]) {
  const { childStopped } = parent;
  parent.childStopped = function count(child): void {
    stopped += 1;
    childStopped.call(this, child);
  };
}

/** Waits until the other has ended. */
async function farewell(self: Puppet, other: Puppet): Promise<void> {
  await assert.rejects(self.ask(other.self, { type: 'do', task: never }, 60_000));
}

test('ten thousand short lives leave nothing behind', async () => {
  const kernel = new TestKernel();
  const parent = new Puppet({ traps: true });
  await kernel.run(parent);
  const before = stopped;
  for (let batch = 0; batch < 100; batch += 1) {
    await within(parent, async (self) => {
      for (let i = 0; i < 100; i += 1) {
        const child = await self.spawn(new Puppet(), { label: `child ${i}/ä` });
        if (i % 2) child!.tell({ type: 'do', task: (short) => short.stop() });
        else self.exit(child!, 'kill');
      }
    });
  }
  await eventually(() => stopped - before === 10_000, 'the end of all nact actors');
  await eventually(() => parent.exits.length === 10_000, 'the exits');
  assert.equal(parent.cell.links, undefined);
  assert.equal(kernel.wheel.pending, 0);
  assert.equal(kernel.abandoned().length, 0);
});

test('a parent that ends before its children leaves nact with the last of them', async () => {
  const kernel = new TestKernel();
  const parent = new Puppet();
  const ref = await kernel.run(parent);
  const child = new Puppet({ traps: true, terminate: (self) => farewell(self, late) });
  const late = new Puppet();
  await kernel.run(late);
  await within(parent, (self) => self.spawn(child));
  const before = stopped;
  await kernel.stop(ref, 'shutdown');
  await eventually(() => child.cell.status === 'stopping', "the child's farewell");
  assert.equal(stopped, before);
  kernel.exit(ref, late.self, 'kill');
  await eventually(() => stopped - before === 3, 'the end of the three');
});
