/** How the nodes of a simulation are configured. */
import type { LinkSettings } from '../../src/actors/pubsub/link-settings.ts';
import type { JournalBounds } from '../../src/sessions/journal.ts';
import type { VirtualClock } from './clock.ts';

/** What one run differs in from another. */
export interface Settings {
  readonly nodes: number;
  readonly clients: number;
  /** How much is kept for another node, and for how long. */
  readonly links: LinkSettings;
  readonly bounds: JournalBounds;
  readonly maxBackpressure: number;
  readonly maxSlots: number;
  /** Whether clients may return. */
  readonly isRecoverable: boolean;
  /** How long a node may be silent whose sessions outlive it, ms; undefined: they do not. */
  readonly leaseMs: number | undefined;
  /** Whether everything may happen to several nodes, too, whose sessions outlive them. */
  readonly isWild: boolean;
}

/** What one event takes in a journal, bytes: roughly. */
const entryBytes = 80;
export const plenty = 1_000_000;

export function settingsOf(clock: VirtualClock, nodes: number): Settings {
  const isShort = clock.chance(0.2);
  const clients = clock.between(2, 4);
  return {
    nodes,
    clients,
    links: { maxBytes: clock.chance(0.2) ? clock.between(500, 3000) : plenty, resumeMs: isShort ? 1000 : 60_000 },
    bounds: {
      windowMs: clock.between(1500, 4000),
      maxBytes: clock.chance(0.35) ? entryBytes * clock.between(3, 30) : plenty,
    },
    maxBackpressure: clock.chance(0.2) ? clock.between(300, 1500) : plenty,
    maxSlots: clock.chance(0.1) ? clients : plenty,
    isRecoverable: true,
    leaseMs: undefined,
    isWild: false,
  };
}

/** Where sessions outlive their nodes: a window is longer than it takes until another node goes on with them. */
export function durableSettings(clock: VirtualClock, nodes: number, isWild: boolean): Settings {
  const settings = settingsOf(clock, nodes);
  return {
    ...settings,
    leaseMs: clock.between(500, 1000),
    isRecoverable: clock.chance(0.8),
    bounds: { ...settings.bounds, windowMs: clock.between(4000, 8000) },
    maxSlots: plenty,
    isWild,
  };
}
