/** Section `log`: where the node logs to, and how much. */
import { Type } from 'typebox';
import { levels } from '../../observe/logger.ts';
import { strictObject } from './fields.ts';

/** What may be written for a level; the one place to extend. */
function level(defaultLevel: (typeof levels)[number], description: string) {
  return Type.Enum([...levels, 'none'], { default: defaultLevel, description });
}

export const logSchema = strictObject(
  {
    dir: Type.String({
      minLength: 1,
      description: 'Directory of the log files. Relative to the working directory; made if absent.',
    }),
    file_level: level('info', 'Least severe level that is written to `hive.log`.'),
    console_level: level('notice', 'Least severe level that is written to the console and to `console.log`.'),
  },
  { description: 'Where the node logs to, and how much.' },
);
