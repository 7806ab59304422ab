/** A connector whose workers start when the test says so. */
import { Actor, definePlugin, Type } from '../../src/index.ts';

let open: () => void;

/** What workers wait for. */
const gate = new Promise<void>((resolve) => {
  open = resolve;
});

export function openGate(): void {
  open();
}

class Worker extends Actor {
  override init(): Promise<void> {
    return gate;
  }

  receive(): void {}
}

export default definePlugin({
  connectors: {
    'slow.connector': {
      args: Type.Null(),
      async probe() {},
      create: () => ({ worker: () => new Worker(), close() {} }),
    },
  },
});
