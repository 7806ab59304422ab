/** What can be seen of actors. */
import { textOf } from '../observe/thrown.ts';
import type { Behaviour } from './behaviour.ts';

/** A handler of an actor that has ended while it waited. */
export interface AbandonedHandler {
  readonly pid: string;
  readonly label: string;
  readonly path: string;
  /** The `type` of the message that it handles. */
  readonly lastMessage: string | undefined;
  /** Since the end of its actor. */
  readonly ageMs: number;
}

/** What can be seen of an actor from outside, without disturbing it. */
export interface Inspection {
  readonly pid: string;
  readonly label: string;
  readonly name: string | undefined;
  /** Where it is in the supervision tree: labels from the top down. */
  readonly path: string;
  readonly status: string;
  readonly restarts: number;
  readonly ageMs: number;
  readonly mailbox: { readonly length: number; readonly peak: number };
  /** Messages handled since its start. */
  readonly handled: number;
  /** The `type` of the last message; never its payload. */
  readonly lastMessage: string | undefined;
  readonly state: Record<string, unknown>;
}

/** An actor that cannot be looked at (its `init` has not run yet, say) must not take down who looks. */
export function inspectState({ actor }: { readonly actor: Behaviour<never> }): Record<string, unknown> {
  try {
    return actor.inspect();
  } catch (error) {
    return { unreadable: textOf(error) };
  }
}
