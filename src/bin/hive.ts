#!/usr/bin/env node
/** The command line: `hive run` and `hive check`. Results go to stdout, the log and errors to stderr. */
import { Command, InvalidArgumentError } from 'commander';
import { version } from '../version.ts';
import { check } from './check.ts';
import { defaultConfigFile, type Mode } from './config-file.ts';
import { run } from './run.ts';

const program = new Command('hive')
  .description('A standalone real-time push server for Socket.IO clients and any back end.')
  .version(version, '-v, --version');

program
  .command('run')
  .description('run one node until SIGTERM or SIGINT')
  .argument('[config]', 'main configuration file', defaultConfigFile)
  .option('--mode <mode>', 'production or development: overrides hive.mode', parseMode)
  .action(async (file: string, options: { mode?: Mode }) => {
    end(await run(file, options.mode));
  });

program
  .command('check')
  .description('validate a configuration and list every problem')
  .argument('[config]', 'main configuration file', defaultConfigFile)
  .option('--probe', 'also try to reach every configured back end')
  .action(async (file: string, options: { probe?: boolean }) => {
    end(await check(file, options.probe ?? false));
  });

/** Does not wait for what a plugin may have left running. */
function end(code: number): void {
  process.exit(code);
}

function parseMode(text: string): Mode {
  if (text === 'production' || text === 'development') return text;
  throw new InvalidArgumentError('It must be production or development.');
}

await program.parseAsync();
