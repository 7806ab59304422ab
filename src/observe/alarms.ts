/**
 * Alarms, as OTP's `alarm_handler` means them: set when a value reaches its threshold, cleared when it has fallen below a lower one.
 * Between the two it stays as it was, so that a value that wavers about the threshold does not set and clear it again and again.
 *
 *   threshold ┤        ╭─╮ ╭╮
 *             │       ╱  ╰─╯╰╮
 *       clear ┤──────╱───────╰──╮────
 *             │─────╱           ╰────
 *             └─────┼───────────┼────▶
 *                  set       cleared
 *
 * Both are logged once. What is set is listed until it is cleared.
 */
import type { Log } from './logger.ts';
import type { Metrics } from './metrics.ts';
import { textOf } from './thrown.ts';

/** `share`: 1 is all there may be; `ms`; `messages`; `number`: whatever the gauge counts. */
export type AlarmUnit = 'share' | 'ms' | 'messages' | 'number';

export interface Reading {
  readonly value: number;
  /** What has that value, where there are several: an actor, a kind of memory. */
  readonly of?: string;
}

/** A value that is looked at, and what is too much of it. */
export interface AlarmSpec {
  /** The name of the alarm. */
  readonly alarm: string;
  readonly unit: AlarmUnit;
  /** Set at this value and above it. More than 0. */
  readonly threshold: number;
  /** Undefined while nothing can be said: then the alarm stays as it is. */
  read(): Reading | undefined | Promise<Reading | undefined>;
}

/** An alarm that is set. */
export interface Alarm {
  readonly alarm: string;
  readonly unit: AlarmUnit;
  /** At the last look. */
  readonly value: number;
  readonly of?: string;
  readonly threshold: number;
  /** It is cleared below this value. */
  readonly clear: number;
  /** When it was set, ms since 1970. */
  readonly at: number;
  /** Since then, by a clock that nobody sets. */
  readonly agoMs: number;
}

export interface AlarmsSetup {
  readonly specs: readonly AlarmSpec[];
  /** Share of its threshold below which an alarm is cleared. */
  readonly clear: number;
  readonly log: Log;
  readonly metrics: Metrics;
  /** ms, from any beginning. */
  readonly now?: () => number;
}

interface SetAlarm {
  readonly spec: AlarmSpec;
  readonly at: number;
  readonly since: number;
  latest: Reading;
}

export class Alarms {
  readonly #specs: readonly AlarmSpec[];
  readonly #clear: number;
  readonly #log: Log;
  readonly #now: () => number;
  readonly #set = new Map<string, SetAlarm>();
  /** Those whose last reading has failed: the log has it. */
  readonly #unreadable = new Set<AlarmSpec>();

  constructor({ specs, clear, log, metrics, now = () => performance.now() }: AlarmsSetup) {
    this.#specs = specs;
    this.#clear = clear;
    this.#log = log;
    this.#now = now;
    for (const { alarm, threshold } of specs) {
      metrics.gauge(`hive.alarms.${alarm}.set`, () => Number(this.#set.has(alarm)));
      metrics.gauge(`hive.alarms.${alarm}.threshold`, () => threshold, 'max');
    }
  }

  /** Those that are set, in the order in which they are looked at. */
  list(): Alarm[] {
    const listed: Alarm[] = [];
    for (const { alarm } of this.#specs) {
      const set = this.#set.get(alarm);
      if (set) listed.push(this.#shown(set));
    }
    return listed;
  }

  /** Looks at every value, one after the other. Never rejects. */
  async look(): Promise<void> {
    for (const spec of this.#specs) {
      const reading = await this.#read(spec);
      if (reading) this.#judge(spec, reading);
    }
  }

  /** A gauge may be a plugin's. */
  async #read(spec: AlarmSpec): Promise<Reading | undefined> {
    try {
      const reading = await spec.read();
      this.#unreadable.delete(spec);
      return reading;
    } catch (error) {
      this.#failed(spec, textOf(error));
      return undefined;
    }
  }

  /** Told once, until it can be read again. Of what is not there (the pool was stopped) there cannot be too much. */
  #failed(spec: AlarmSpec, reason: string): void {
    const { alarm } = spec;
    if (this.#set.delete(alarm))
      this.#log.notice(`Alarm ${alarm} is cleared: its value cannot be read`, { alarm, reason });
    if (this.#unreadable.has(spec)) return;
    this.#unreadable.add(spec);
    this.#log.warning(`The value of the alarm ${alarm} cannot be read: ${reason}`, { alarm });
  }

  #judge(spec: AlarmSpec, reading: Reading): void {
    const { alarm, threshold } = spec;
    const set = this.#set.get(alarm);
    if (!set) {
      if (reading.value < threshold) return;
      this.#set.set(alarm, { spec, at: Date.now(), since: this.#now(), latest: reading });
      const of = reading.of === undefined ? '' : ` (${reading.of})`;
      const text = `${amountText(reading.value, spec)}${of}, the threshold is ${amountText(threshold, spec)}`;
      this.#log.warning(`Alarm ${alarm} is set: ${text}`, fieldsOf(spec, reading));
      return;
    }
    set.latest = reading;
    const clear = this.#clearOf(spec);
    if (reading.value >= clear) return;
    this.#set.delete(alarm);
    const lastedMs = Math.round(this.#now() - set.since);
    const text = `${amountText(reading.value, spec)} is below ${amountText(clear, spec)}`;
    this.#log.notice(`Alarm ${alarm} is cleared: ${text}`, { ...fieldsOf(spec, reading), clear, lastedMs });
  }

  #clearOf({ threshold }: AlarmSpec): number {
    return rounded(threshold * this.#clear);
  }

  #shown({ spec, at, since, latest }: SetAlarm): Alarm {
    const { alarm, unit, threshold } = spec;
    const of = latest.of === undefined ? {} : { of: latest.of };
    const agoMs = Math.round(this.#now() - since);
    return { alarm, unit, value: rounded(latest.value), ...of, threshold, clear: this.#clearOf(spec), at, agoMs };
  }
}

function fieldsOf({ alarm, threshold }: AlarmSpec, { value, of }: Reading): Record<string, unknown> {
  return { alarm, value: rounded(value), threshold, ...(of === undefined ? {} : { of }) };
}

/** Four decimals tell enough of shares and ms, and products of such numbers look as they were meant. */
function rounded(value: number): number {
  return Math.round(value * 10_000) / 10_000;
}

const unitText: Readonly<Record<Exclude<AlarmUnit, 'share'>, string>> = {
  ms: ' ms',
  messages: ' messages',
  number: '',
};

/** A value as people read it: `93 %`, `310 ms`, `12000 messages`. */
export function amountText(value: number, { unit }: { readonly unit: AlarmUnit }): string {
  if (unit === 'share') return `${Number((value * 100).toFixed(1))} %`;
  return `${Number(value.toFixed(1))}${unitText[unit]}`;
}
