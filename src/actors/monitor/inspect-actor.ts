/** One actor by its address as text. */
import type { Kernel } from '../../kernel/kernel.ts';
import type { NodeName } from '../../kernel/types.ts';

/** The address of an actor as it is shown, `<node.id.serial>`, or only `id.serial`. */
const pidPattern = /^(?:<(.+)\.(\d+)\.(\d+)>|(\d+)\.(\d+))$/;

/** The node that an address names. */
export function nodeOf(pid: string): NodeName | undefined {
  return pidPattern.exec(pid)?.[1] as NodeName | undefined;
}

/** Undefined if it has ended, or is none of this node. The actor itself is not asked. */
export function inspectActor(kernel: Kernel, pid: string): object | undefined {
  const [, node, id, serial, shortId, shortSerial] = pidPattern.exec(pid) ?? [];
  if (node !== undefined && node !== kernel.node) return undefined;
  const ref = kernel.local(Number(id ?? shortId), Number(serial ?? shortSerial), kernel.creation);
  return ref && kernel.inspect(ref);
}
