/** What a cell asks of its actor. `Actor`, the base class that everybody extends, is the implementation. */
import type { Down, Exit, ExitReason, From } from './types.ts';

/** Thrown by `init`: the actor does not want to run; `spawn` resolves to undefined and nobody is to blame. */
export const ignore: unique symbol = Symbol('ignore');

export interface Behaviour<Message = never> {
  readonly trapsExits: boolean;
  /** How many messages may wait. */
  readonly mailboxLimit: number;
  init(): void | Promise<void>;
  receive(message: Message, from: From | undefined): void | Promise<void>;
  /** Whether `receive` may see what another node has sent. */
  admits(message: unknown): boolean;
  /** Such a message that it may not see. */
  refuse(message: unknown, from: From | undefined): void;
  terminate(reason: ExitReason): void | Promise<void>;
  handleDown(down: Down): void | Promise<void>;
  handleExit(exit: Exit): void | Promise<void>;
  inspect(): Record<string, unknown>;
}
