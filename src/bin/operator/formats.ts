/** Numbers as people read them. */
import { type Alarm, amountText } from '../../observe/alarms.ts';

/** `3 d 4 h`, `5 min 3 s`, `42 s`: the two greatest units. */
export function duration(ms: number): string {
  let rest = Math.floor(ms / 1000);
  const parts: string[] = [];
  for (const [unit, seconds] of [
    ['d', 86_400],
    ['h', 3600],
    ['min', 60],
    ['s', 1],
  ] as const) {
    const count = Math.floor(rest / seconds);
    rest -= count * seconds;
    if (count > 0 || (unit === 's' && parts.length === 0)) parts.push(`${count} ${unit}`);
    if (parts.length === 2) break;
  }
  return parts.join(' ');
}

/** `1.2 GB`, `345 MB`. */
export function bytes(count: number): string {
  const units = ['B', 'kB', 'MB', 'GB', 'TB'];
  let value = count;
  let unit = 0;
  for (; value >= 999.5 && unit < units.length - 1; unit += 1) value /= 1000;
  return `${short(value)} ${units[unit]}`;
}

/** Latencies: `0.4 ms`, `120 ms`, `2.5 s`. */
export function milliseconds(ms: number): string {
  return ms >= 1000 ? `${short(ms / 1000)} s` : `${short(ms)} ms`;
}

/** `0`, `1.5`, `120`, `12.5k`, `3.1M`. */
export function amount(count: number): string {
  if (count >= 999_950) return `${short(count / 1_000_000)}M`;
  if (count >= 9999.5) return `${short(count / 1000)}k`;
  return short(count);
}

export function percent(part: number): string {
  return `${Math.round(part * 100)} %`;
}

export function plural(count: number, one: string, many = `${one}s`): string {
  return `${count} ${count === 1 ? one : many}`;
}

/** `clients 93 % for 4 min 2 s, threshold 90 %`. */
export function alarmText(alarm: Alarm): string {
  const { alarm: name, value, of, threshold, agoMs } = alarm;
  const where = of === undefined ? '' : ` (${of})`;
  return `${name} ${amountText(value, alarm)}${where} for ${duration(agoMs)}, threshold ${amountText(threshold, alarm)}`;
}

/** One decimal where it says something. */
function short(value: number): string {
  return String(value >= 99.95 ? Math.round(value) : Number(value.toFixed(1)));
}
