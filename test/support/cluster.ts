/** Nodes for tests of the distribution layer: a kernel each, connected over real sockets on the loopback interface. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import type { TestContext } from 'node:test';
import { fileURLToPath } from 'node:url';
import { type Distribution, type DistributionOptions, startDistribution } from '../../src/distribution/distribution.ts';
import { EpmdServer } from '../../src/distribution/epmd/server.ts';
import type { NodeDown, NodeUp } from '../../src/distribution/peers.ts';
import { Actor } from '../../src/kernel/actor.ts';
import { Kernel } from '../../src/kernel/kernel.ts';
import type { AnyRef, Call, Down, Exit, ExitReason, From, Ref } from '../../src/kernel/types.ts';
import { type Log, silent } from '../../src/observe/logger.ts';
import { Metrics } from '../../src/observe/metrics.ts';

export interface TestNode {
  readonly kernel: Kernel;
  readonly distribution: Distribution;
  readonly metrics: Metrics;
  readonly ups: NodeUp[];
  readonly downs: NodeDown[];
  stop(): void;
}

export const cookie = 'a secret of tests';

/** Starts a node that ends with the test. */
export async function startTestNode(
  t: TestContext,
  name: string,
  options: Partial<DistributionOptions> & { epmdPort: number; creation?: number },
): Promise<TestNode> {
  const metrics = new Metrics();
  const creation = options.creation === undefined ? {} : { creation: options.creation };
  const kernel = new Kernel({ node: name, log: silent, metrics, ...creation });
  const distribution = await startDistribution({
    kernel,
    cookie,
    portMin: 0,
    portMax: 0,
    netTicktimeMs: 60_000,
    maxQueueBytes: 64 * 1024 * 1024,
    maxFrameBytes: 128 * 1024 * 1024,
    maxDepth: 512,
    maxElements: 4_194_304,
    maxAtoms: 4096,
    log: silent,
    metrics,
    ...options,
  }).catch((error: unknown) => {
    kernel.halt();
    throw error;
  });
  const ups: NodeUp[] = [];
  const downs: NodeDown[] = [];
  distribution.onNodeUp((event) => ups.push(event));
  distribution.onNodeDown((event) => downs.push(event));
  let stopped = false;
  const stop = () => {
    if (stopped) return;
    stopped = true;
    distribution.stop();
    kernel.halt();
  };
  t.after(stop);
  return { kernel, distribution, metrics, ups, downs, stop };
}

/** An EPMD for one test. */
export async function startEpmd(t: TestContext): Promise<number> {
  const server = new EpmdServer();
  await server.listen(0, ['127.0.0.1']);
  t.after(() => server.stop());
  return server.port;
}

/** A member of the cluster in a process of its own, which may be killed. */
export async function startMemberProcess(
  t: TestContext,
  name: string,
  epmdPort: number,
  seeds: string[],
): Promise<ChildProcess> {
  const script = fileURLToPath(new URL('member-process.ts', import.meta.url));
  const child = spawn(process.execPath, ['--import', 'tsx', script, name, String(epmdPort), ...seeds], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  t.after(() => child.kill('SIGKILL'));
  await once(child.stdout!, 'data');
  return child;
}

/** Remembers what happens to it; answers calls as told. */
export class Probe extends Actor<unknown> {
  readonly messages: unknown[] = [];
  readonly downs: Down[] = [];
  readonly exits: Exit[] = [];
  readonly answer: (message: unknown, from: From) => void;

  constructor(answer: (message: unknown, from: From) => void = (message, from) => from.reply(message)) {
    super();
    this.answer = answer;
  }

  override get trapsExits(): boolean {
    return true;
  }

  override admits(): boolean {
    return true;
  }

  receive(message: unknown, from: From | undefined): void {
    if (message instanceof Do) message.what(this);
    else if (from) this.answer(message, from);
    else this.messages.push(message);
  }

  override handleDown(down: Down): void {
    this.downs.push(down);
  }

  override handleExit(exit: Exit): void {
    this.exits.push(exit);
  }

  watch(target: AnyRef): number {
    return this.monitor(target);
  }

  unwatch(monitor: number): void {
    this.demonitor(monitor);
  }

  linkWith(target: AnyRef): void {
    this.link(target);
  }

  unlinkFrom(target: AnyRef): void {
    this.unlink(target);
  }

  sendExit(target: AnyRef, reason: ExitReason): void {
    this.exit(target, reason);
  }

  end(reason: ExitReason): void {
    this.stop(reason);
  }
}

/** A message that makes a probe act from inside. */
export class Do {
  readonly what: (probe: Probe) => void;
  constructor(what: (probe: Probe) => void) {
    this.what = what;
  }
}

export async function spawnProbe(
  kernel: Kernel,
  name?: string,
  answer?: (message: unknown, from: From) => void,
): Promise<{ probe: Probe; ref: Ref<unknown> }> {
  const probe = new Probe(answer);
  const ref = await kernel.spawn<unknown>(probe, name === undefined ? {} : { name });
  return { probe, ref: ref! };
}

/** The address of an actor as another node sees it. */
export function seenFrom(kernel: Kernel, ref: AnyRef): Ref<unknown> {
  return kernel.remotePid<unknown>(ref.node, ref.id, ref.serial, ref.creation);
}

/** A call whose message says nothing about its answer. */
export function ask<Reply = unknown>(
  kernel: Kernel,
  to: Ref<unknown>,
  message: unknown,
  timeoutMs?: number,
): Promise<Reply> {
  return kernel.ask(to as Ref<Call<Reply>>, message as Call<Reply>, timeoutMs);
}

/** Waits until it is so. */
export async function until(condition: () => boolean, what: string, timeoutMs = 10_000): Promise<void> {
  const deadline = Date.now() + timeoutMs;
  while (!condition()) {
    if (Date.now() > deadline) throw new Error(`in vain waited for: ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
}

/** A log that keeps its lines. */
export function keepingLog(): Log & { readonly lines: { level: string; message: string }[] } {
  const lines: { level: string; message: string }[] = [];
  const keep = (level: string) => (message: string) => void lines.push({ level, message });
  const log = {
    ...silent,
    lines,
    debug: keep('debug'),
    info: keep('info'),
    notice: keep('notice'),
    warning: keep('warning'),
    error: keep('error'),
    child: () => log,
  };
  return log;
}
