/** `hive run`: one node, from its configuration to its graceful end. */
import { dirname, resolve } from 'node:path';
import type { Override } from '../config/overrides.ts';
import { describeReason } from '../kernel/types.ts';
import { type Node, startNode } from '../node.ts';
import { HiveError } from '../observe/errors.ts';
import { printable } from '../observe/printable.ts';
import { stackOf, titleOf } from '../observe/thrown.ts';
import { chooseSockets } from '../web/sockets/choice.ts';
import { loadOrExplain } from './config-file.ts';

/** Resolves to the exit code: 0 after a graceful stop, 1 if the node could not start or gave up. */
export async function run(file: string, overrides: readonly Override[]): Promise<number> {
  const loaded = await loadOrExplain(file, overrides);
  if (!loaded) return 1;
  const { config, plugins } = loaded;
  let node: Node | undefined;
  // From now on a signal means a graceful stop, also one that comes while the node starts.
  const signalled = new Promise<void>((resolve) => process.once('SIGTERM', resolve).once('SIGINT', resolve));
  process.on('SIGHUP', () => node?.reopenLogs());
  try {
    const sockets = chooseSockets({ from: dirname(resolve(file)) });
    node = await startNode(config, plugins, sockets);
  } catch (error) {
    if (!(error instanceof HiveError)) throw error;
    console.error(printable(`${error.code}: ${error.message}`));
    return 1;
  }
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
  console.log(
    `hive ${node.name} is ready: clients ${client}, api ${api}, monitor ${monitor}${probes} (sockets: ${node.sockets})`,
  );
  void signalled.then(() => node?.stop('shutdown'));
  const end = await node.ended;
  if (end.graceful) return 0;
  console.error(printable(`hive_error: ${node.name} gave up: ${describeReason(end.reason)}`));
  return 1;
}
