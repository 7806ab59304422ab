/** Asking the whole cluster: the actor of one name on every connected node. */
import type { Kernel } from '../../kernel/kernel.ts';
import { type Call, callTimeoutMs, type NodeName } from '../../kernel/types.ts';
import { toHiveError } from '../../observe/errors.ts';
import type { Log } from '../../observe/logger.ts';
import type { ClusterView } from '../contracts.ts';

export interface Answers<Reply> {
  readonly replies: ReadonlyMap<NodeName, Reply>;
  /** Nodes that did not answer, and known ones that are not connected. */
  readonly missing: readonly NodeName[];
}

/** Asks all nodes at once; resolves when each has answered or failed to, within `timeoutMs` (the usual time for calls). */
export async function multiCall<Message, Reply>(
  { kernel, cluster, log }: { kernel: Kernel; cluster: ClusterView; log: Log },
  name: string,
  message: Message & Call<Reply>,
  timeoutMs: number = callTimeoutMs,
): Promise<Answers<Reply>> {
  const replies = new Map<NodeName, Reply>();
  const missing = [...cluster.missing()];
  const ask = async (node: NodeName): Promise<void> => {
    try {
      replies.set(node, await kernel.ask<Message, Reply>(kernel.remote(node, name), message, timeoutMs));
    } catch (error) {
      const { code, message: description } = toHiveError(error);
      // Nodes come and go; that one is lost is told elsewhere.
      const isAway = code === 'cluster_error' || code === 'not_running';
      const text = `${node} did not answer: ${description}`;
      missing.push(node);
      if (isAway) log.info(text, { peer: node });
      // Whoever watches the cluster asks again every two seconds, for as long as a node hangs.
      else kernel.repeated.warn(log, `${node} did not answer`, text, { peer: node });
    }
  };
  await Promise.all(cluster.nodes().map(ask));
  return { replies, missing };
}
