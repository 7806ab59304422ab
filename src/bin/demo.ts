/** `hive demo`: the distributed chat of the examples, which come with the package. */

interface Demo {
  /** Runs until Ctrl-C, and ends the process. */
  standalone(port: number | undefined): Promise<void>;
}

const script = new URL('../../examples/distributed-chat/demo/standalone.mjs', import.meta.url);

export async function demo(port: number | undefined): Promise<void> {
  const { standalone } = (await import(script.href)) as Demo;
  await standalone(port);
}
