/**
 * What one says to a supervisor. The supervisors themselves live two floors up (`src/supervisors`); managers, which start
 * children at run time, know only these words.
 */
import type { Actor } from './actor.ts';
import type { AnyRef, Call } from './types.ts';

/** `permanent`: always restarted; `transient`: after a crash only; `temporary`: never. */
export type Restart = 'permanent' | 'transient' | 'temporary';

/** How a child is stopped: killed at once; asked, then killed after so many ms; asked and waited for without limit. */
export type ShutdownLimit = 'brutal_kill' | number | 'infinity';

export interface ChildSpec<Message = never> {
  readonly id: string;
  /** Makes the actor of one incarnation: a new object each time. */
  readonly start: () => Actor<Message>;
  /** The name under which the child is registered. */
  readonly name?: string;
  /** Default `permanent` (`temporary` under a dynamic supervisor). */
  readonly restart?: Restart;
  /** Default 5000 ms for workers, `infinity` for supervisors. */
  readonly shutdown?: ShutdownLimit;
  /** Default `worker`. */
  readonly type?: 'worker' | 'supervisor';
  /** Its end ends the supervisor, as `auto_shutdown` says. Default false. */
  readonly significant?: boolean;
}

/** A row of `which_children`. */
export interface ChildInfo {
  readonly id: string | undefined;
  readonly ref: AnyRef | 'restarting' | undefined;
  readonly type: 'worker' | 'supervisor';
  readonly restart: Restart;
  readonly restarts: number;
  /** `at` in ms since 1970, for display; `agoMs` is how long ago that is. */
  readonly lastExit: { readonly reason: string; readonly at: number; readonly agoMs: number } | undefined;
}

export interface ChildCounts {
  readonly specs: number;
  readonly active: number;
  readonly supervisors: number;
  readonly workers: number;
}

/**
 * Failures of these calls are HiveErrors: `already_started`, `already_present`, `not_found`, `running`, `restarting`, or what the child's start threw.
 */
export type SupervisorMessage =
  | ({ readonly type: 'start_child'; readonly child: ChildSpec<never> } & Call<AnyRef | undefined>)
  /** By id; under a dynamic supervisor by reference, where one that has ended is terminated already. */
  | ({ readonly type: 'terminate_child'; readonly child: string | AnyRef } & Call<void>)
  | ({ readonly type: 'restart_child'; readonly id: string } & Call<AnyRef | undefined>)
  | ({ readonly type: 'delete_child'; readonly id: string } & Call<void>)
  | ({ readonly type: 'which_children' } & Call<ChildInfo[]>)
  | ({ readonly type: 'count_children' } & Call<ChildCounts>);
