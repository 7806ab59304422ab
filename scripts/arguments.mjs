/** The arguments of scripts: `--help` shows a script's head, and what it does not know ends it with one line. */
import { readFileSync } from 'node:fs';
import { basename } from 'node:path';
import { parseArgs } from 'node:util';

/** As `parseArgs` of Node has them, for the script that runs. */
export function argumentsOf(options, { allowPositionals = false } = {}) {
  let parsed;
  try {
    parsed = parseArgs({ allowPositionals, options: { ...options, help: { type: 'boolean', short: 'h' } } });
  } catch (error) {
    // What follows is about arguments that begin with a dash, which no script takes.
    refuse(`${error.message.split(/\. |\n/)[0]}; --help shows what there is`);
  }
  if (parsed.values.help) {
    process.stdout.write(headOf(process.argv[1]));
    process.exit(0);
  }
  return parsed;
}

/** Ends the script: it cannot do what it is asked to. */
export function refuse(reason) {
  process.stderr.write(`${basename(process.argv[1])}: ${reason}\n`);
  process.exit(1);
}

/** The comment at the head of a file, without its frame. */
function headOf(file) {
  const [, comment] = /^(?:#![^\n]*\n)?\/\*\*(.*?)\*\//s.exec(readFileSync(file, 'utf8')) ?? [];
  if (comment === undefined) throw new Error(`${file} does not begin with a comment`);
  return `${comment.replaceAll(/\n \* ?/g, '\n').trim()}\n`;
}
