/**
 * The recordings of what the 2014 server really put on the wire, and what is declared about our answers to the same.
 * `test/fixtures/golden/README.md` describes the files.
 */
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

export const fixtures = fileURLToPath(new URL('../../fixtures/golden/', import.meta.url));

/** One request on a connection of its own. */
export interface HttpStep {
  readonly http: string;
  readonly request: string;
  readonly response: string | null;
  readonly no_response_within_ms?: number;
}
/** A WebSocket is opened: by its raw request, or after a handshake for `sid`. */
export interface OpenStep {
  readonly ws_open: string;
  readonly where: string;
  readonly sid?: string;
  readonly request?: string;
  readonly response?: string;
}
export interface SendStep {
  readonly ws_send: string;
  readonly opcode: string;
  readonly payload: string;
  readonly fin?: boolean;
}
export interface ReceiveStep {
  readonly ws_recv: string;
  readonly opcode?: string;
  readonly payload?: string;
  readonly close_code?: number | null;
  readonly nothing_within_ms?: number;
}
export interface ClosedStep {
  readonly ws_tcp_closed_by_server: string;
}
export interface BackEndStep {
  readonly backend_received: string;
}
/** A handshake, perhaps with a first poll. */
export interface SetupStep {
  readonly setup: string;
  readonly sid: string;
}
export interface RedisStep {
  readonly redis: Readonly<Record<string, string | string[]>>;
}
export interface ServingStep {
  readonly server_application_still_serving: boolean;
}
export interface WaitStep {
  readonly wait_ms: number;
}
export interface NoteStep {
  readonly note: string;
}
export type Step =
  | HttpStep
  | OpenStep
  | SendStep
  | ReceiveStep
  | ClosedStep
  | BackEndStep
  | SetupStep
  | RedisStep
  | ServingStep
  | WaitStep
  | NoteStep;

export interface Scenario {
  /** File and place in it, both from 1: `02.05`. */
  readonly id: string;
  readonly title: string;
  readonly steps: readonly Step[];
}

/** How our answers differ from the recorded ones. What is not declared is the same. */
export interface Difference {
  /** The quirks of the 2014 server that make them differ; keys of `quirks.json`. */
  readonly quirks: readonly string[];
  /** What we do, in a sentence for users. */
  readonly ours: string;
  /** Step (from 0) → what happens there instead of the recorded. Further frames at the end: `end`. */
  readonly steps: Readonly<Record<string, string>>;
  /** The same where that library holds the sockets, if that makes a difference. */
  readonly node?: Readonly<Record<string, string>>;
  readonly '20.57'?: Readonly<Record<string, string>>;
}

export type Differences = Readonly<Record<string, Difference>>;

interface RecordedScenario {
  readonly scenario: string;
  readonly steps: readonly Step[];
}

/** The names of the recordings, `01-handshake` and so on. */
export const recordingNames = readdirSync(fixtures)
  .filter((name) => /^\d\d-.*\.json$/.test(name))
  .map((name) => name.slice(0, -'.json'.length))
  .sort();

export function scenariosOf(name: string): Scenario[] {
  const recorded = JSON.parse(readFileSync(join(fixtures, `${name}.json`), 'utf8')) as RecordedScenario[];
  return recorded.map(({ scenario, steps }, index) => ({
    id: `${name.slice(0, 2)}.${String(index + 1).padStart(2, '0')}`,
    title: scenario,
    steps,
  }));
}

export function differencesFile(name: string): string {
  return join(fixtures, 'differences', `${name}.json`);
}

export function differencesOf(name: string): Differences {
  const file = differencesFile(name);
  return existsSync(file) ? (JSON.parse(readFileSync(file, 'utf8')) as Differences) : {};
}

/** Quirk → what the 2014 server did, in a sentence. */
export function quirks(): Readonly<Record<string, string>> {
  return JSON.parse(readFileSync(join(fixtures, 'quirks.json'), 'utf8')) as Record<string, string>;
}
