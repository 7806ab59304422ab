/** Several publishes as one, for who waits until other nodes have them. */
import type { Unconfirmed } from '../web/api/api-host.ts';

/** Known when all of these are. */
export function together(parts: readonly (Unconfirmed | undefined)[]): Unconfirmed | undefined {
  const pending = parts.filter((part) => part !== undefined);
  if (pending.length <= 1) return pending[0];
  return {
    whenKnown(listener) {
      const missing = new Set<string>();
      let open = pending.length;
      for (const part of pending) {
        part.whenKnown((nodes) => {
          for (const node of nodes) missing.add(node);
          open -= 1;
          if (open === 0) listener([...missing]);
        });
      }
    },
  };
}
