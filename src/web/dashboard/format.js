/** Numbers for people. */

const none = '–';
const isNumber = (value) => typeof value === 'number' && Number.isFinite(value);
const whole = new Intl.NumberFormat('en', { maximumFractionDigits: 0 });

export function count(value) {
  return isNumber(value) ? whole.format(value) : none;
}

/** With as many digits as make sense: 0.42, 3.1, 17, 1,234. */
export function decimal(value) {
  if (!isNumber(value)) return none;
  const size = Math.abs(value);
  if (size >= 10 || Number.isInteger(value)) return whole.format(value);
  return value.toFixed(size < 1 ? 2 : 1);
}

export function bytes(value) {
  if (!isNumber(value)) return none;
  const units = ['B', 'kB', 'MB', 'GB', 'TB'];
  let size = value;
  let unit = 0;
  while (size >= 1000 && unit < units.length - 1) {
    size /= 1000;
    unit += 1;
  }
  return `${unit === 0 ? whole.format(size) : decimal(size)} ${units[unit]}`;
}

export function milliseconds(value) {
  if (!isNumber(value)) return none;
  return value < 1000 ? `${decimal(value)} ms` : `${decimal(value / 1000)} s`;
}

export function percent(value) {
  return isNumber(value) ? `${decimal(value * 100)} %` : none;
}

/** How long something is. */
export function age(ms) {
  if (!isNumber(ms)) return none;
  const seconds = Math.floor(ms / 1000);
  if (seconds < 60) return `${seconds} s`;
  const minutes = Math.floor(seconds / 60);
  if (minutes < 60) return `${minutes} min`;
  const hours = Math.floor(minutes / 60);
  if (hours < 24) return `${hours} h ${minutes % 60} min`;
  return `${Math.floor(hours / 24)} d ${hours % 24} h`;
}

/** The least round number that is not below. */
export function roundUp(value) {
  if (!(value > 0)) return 1;
  const power = 10 ** Math.floor(Math.log10(value));
  const step = [1, 2, 2.5, 5, 10].find((factor) => factor * power >= value) ?? 10;
  return step * power;
}
