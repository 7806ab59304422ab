/** `hive run`: one node, from its configuration to its graceful end. */
import { dirname, resolve } from 'node:path';
import type { Override } from '../config/overrides.ts';
import { describeReason } from '../kernel/types.ts';
import { type Node, startNode } from '../node/node.ts';
import { HiveError } from '../observe/errors.ts';
import { printable } from '../observe/printable.ts';
import { stackOf, titleOf } from '../observe/thrown.ts';
import { chooseSockets } from '../web/sockets/choice.ts';
import { loadOrExplain } from './config-file.ts';
import { StopSignals } from './stop-signals.ts';

/** Resolves to the exit code: 0 after a graceful stop, also one before it was ready, 1 if the node could not start or gave up. */
export async function run(file: string, overrides: readonly Override[]): Promise<number> {
  const signals = new StopSignals();
  let node: Node | undefined;
  let rotated = false;
  process.on('SIGHUP', () => {
    rotated = true;
    node?.reopenLogs();
  });
  // Nothing has been begun yet that would have to be ended.
  const loaded = await Promise.race([loadOrExplain(file, overrides), signals.calledOff]);
  if (signals.first.aborted) return 0;
  if (!loaded) return 1;
  const { config, plugins } = loaded;
  try {
    const sockets = chooseSockets({ from: dirname(resolve(file)) });
    node = await startNode(config, plugins, sockets, signals.first);
  } catch (error) {
    const { aborted: isCalledOff, reason } = signals.first;
    if (isCalledOff && (error === reason || error instanceof HiveError)) return 0;
    if (!(error instanceof HiveError)) throw error;
    console.error(printable(`${error.code}: ${error.message}`));
    return 1;
  }
  if (rotated) node.reopenLogs();
  // What a plugin has begun and not waited for fails alone: no client or worker can be blamed, least of all the whole node.
  const { name, log, flushLogs } = node;
  // What it has left half-done nobody knows: the process ends, when the log has said why.
  process.on('uncaughtException', (error) => {
    log.crash('An exception that nobody has caught', { stack: stackOf(error) });
    const lastWords = `hive_error: ${name} ends of an exception that nobody has caught: ${titleOf(error)}`;
    flushLogs(`${printable(lastWords)}\n`);
    process.exit(1);
  });
  process.on('unhandledRejection', (reason) => {
    if (log.excess('A promise that nobody waits for was rejected', 'plugins', 'error')) return;
    log.crash('A promise that nobody waits for was rejected', { stack: stackOf(reason) });
  });
  const { client, api, monitor, health } = node.addresses;
  const probes = health === undefined ? '' : `, health ${health}`;
  signals.watch(node);
  if (!node.stopping) {
    console.log(
      `hive ${node.name} is ready: clients ${client}, api ${api}, monitor ${monitor}${probes} (sockets: ${node.sockets})`,
    );
  }
  const end = await node.ended;
  if (end.graceful) return 0;
  console.error(printable(`hive_error: ${node.name} gave up: ${describeReason(end.reason)}`));
  return 1;
}
