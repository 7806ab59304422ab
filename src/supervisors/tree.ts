/** The supervision tree as plain data, and which part of it is wanted: what the monitors of nodes tell one another and show. */
import type { ChildInfo } from '../kernel/supervision.ts';

/** An actor with what is below it. */
export interface TreeNode {
  readonly id: string;
  readonly kind: 'supervisor' | 'worker';
  /** Null while it does not run. */
  readonly pid: string | null;
  /** That of the actor (`starting`, `running`, `waiting`, `stopping`), or `restarting`, or `stopped`. */
  readonly status: string;
  readonly strategy?: string;
  /** Restarts of children within the last `periodMs`: performed, and allowed. */
  readonly intensity?: { readonly used: number; readonly allowed: number; readonly periodMs: number };
  /** How often this child was restarted. */
  readonly restarts: number;
  readonly ageMs?: number;
  readonly mailbox?: { readonly length: number; readonly peak: number };
  readonly lastExit?: NonNullable<ChildInfo['lastExit']>;
  /** How many children a supervisor has; `children` may list fewer. */
  readonly count?: number;
  /** Of a supervisor whose partitions are left out: how many there are. */
  readonly partitions?: number;
  /** Of a child whose partition is left out: the id of that. */
  readonly partition?: string;
  readonly children?: readonly TreeNode[];
}

/** Which part is shown. */
export interface TreeOptions {
  /** Levels below the top that are listed. Default: all. */
  readonly depth?: number | undefined;
  /** Children listed of each supervisor. Default 100; partitions of one supervisor share them, so that no tree is long unasked. */
  readonly limit?: number | undefined;
  /** The ids from the root (or below it) down to the actor that is shown as the top, with slashes between them. */
  readonly path?: string | undefined;
  /** `mailbox`: of each supervisor's children those with the most messages first. Default: the order of their start. */
  readonly sort?: 'mailbox' | undefined;
  /** Partitions are left out as long as they run: their children are listed as those of the supervisor that has the partitions. */
  readonly flat?: boolean | undefined;
}
