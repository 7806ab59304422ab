/**
 * Which lines a log takes: those of a level and the more severe ones (`info`, or `>=info`), or as the user guide of 2014 has
 * it `=info`, `!=info`, `>info`, `<info`, `<=info`; `none` takes nothing. Less severe is less: `<info` is `debug` alone.
 */
import { type Level, levels } from './logger.ts';

const names = levels.join('|');
export const filterPattern = `^(?:!=|[<>]?=|[<>])(?:${names})$`;
const parts = new RegExp(`^(!=|[<>]?=|[<>])?(${names})$`);

/** The levels that a filter lets through. Throws for what is no filter: the configuration was checked. */
export function levelsOf(filter: string): readonly Level[] {
  if (filter === 'none') return [];
  const [, operator = '>=', name] = parts.exec(filter) ?? [];
  const named = levels.indexOf(name as Level);
  if (named < 0) throw new Error(`${filter} is no filter of log levels`);
  return levels.filter((_, level) => compare(operator, level, named));
}

function compare(operator: string, level: number, named: number): boolean {
  switch (operator) {
    case '=':
      return level === named;
    case '!=':
      return level !== named;
    case '<':
      return level < named;
    case '<=':
      return level <= named;
    case '>':
      return level > named;
    default:
      return level >= named;
  }
}
