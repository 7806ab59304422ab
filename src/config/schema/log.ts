/** Section `log`: where the node logs to, and how much. */
import { Type } from 'typebox';
import { filterPattern } from '../../observe/level-filter.ts';
import { levels } from '../../observe/logger.ts';
import { strictObject } from './fields.ts';

/** A level, or a comparison with one. */
function filter(defaultLevel: (typeof levels)[number], description: string) {
  const comparison = Type.String({
    pattern: filterPattern,
    patternErrorMessage: 'must be a level behind =, !=, <, <=, > or >=',
  });
  return Type.Union([Type.Enum([...levels, 'none']), comparison], { default: defaultLevel, description });
}

export const logSchema = strictObject(
  {
    dir: Type.Union([Type.String({ minLength: 1 }), Type.Null()], {
      default: 'log',
      description:
        'Directory of the log files. Relative to the working directory; created if missing. `null` = no files, only the console.',
    }),
    format: Type.Enum(['pretty', 'json'], {
      default: 'pretty',
      description: 'Format of the console: `pretty` for reading, `json` for one object per line, as in the files.',
    }),
    file_level: filter(
      'info',
      'Least severe level that is written to `hive.log`, or a comparison: `=info`, `!=info`, `<info`, `<=info`, `>info`, `>=info`.',
    ),
    console_level: filter(
      'notice',
      'Least severe level that is written to the console and to `console.log`, or a comparison.',
    ),
  },
  { description: 'Where the node writes its log, and how much.' },
);
