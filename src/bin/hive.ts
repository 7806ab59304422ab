#!/usr/bin/env node
/**
 * The command line. `run` and `check` work with a configuration, the others ask a running node through its monitor or API.
 * Results go to stdout, the log and errors to stderr.
 */
import { Command, CommanderError, InvalidArgumentError, Option } from 'commander';
import type { Override } from '../config/overrides.ts';
import { version } from '../version.ts';
import { collectOverride } from './collect-override.ts';
import { defaultConfigFile } from './default-config-file.ts';
import { type DrainOptions, drain } from './drain.ts';
import { carryOut } from './operator/carry-out.ts';
import { Failure } from './operator/failure.ts';
import { print } from './operator/output.ts';
import { askedOf, type WhereOptions } from './operator/where.ts';
import { type StatusOptions, status } from './status.ts';
import { type StopOptions, stop } from './stop.ts';
import { type TopOptions, top } from './top.ts';
import { type TreeCommandOptions, tree } from './tree.ts';

// `run` and `check` load what a node needs: the others start sooner without.
let told = Promise.resolve();
const program = new Command('hive')
  // What help and version print is waited for, and whether it could be written is known only then.
  .exitOverride()
  .configureOutput({
    writeOut: (text) => {
      told = print(text);
      told.catch(() => {});
    },
  })
  .description('A standalone real-time push server for Socket.IO clients and any back end.')
  .version(version, '-v, --version');

program
  .command('run')
  .description('run one node until SIGTERM or SIGINT')
  .argument('[config]', 'main configuration file', defaultConfigFile)
  .option('--set <key=value>', 'override one key: section.key=value; may be repeated', collectOverride)
  .option('--mode <mode>', 'production or development: overrides hive.mode', parseMode)
  .action(async (file: string, { set = [], mode = [] }: { set?: Override[]; mode?: Override[] }) => {
    const { run } = await import('./run.ts');
    end(await run(file, [...set, ...mode]));
  });

program
  .command('check')
  .description('validate a configuration and list every problem')
  .argument('[config]', 'main configuration file', defaultConfigFile)
  .option('--set <key=value>', 'override one key: section.key=value; may be repeated', collectOverride)
  .option('--probe', 'also try to reach every configured back end')
  .action(async (file: string, { set = [], probe = false }: { set?: Override[]; probe?: boolean }) => {
    const { check } = await import('./check.ts');
    end(await check(file, set, probe));
  });

program
  .command('init')
  .description('write a first configuration with fresh keys; never overwrites a file')
  .argument('[place]', 'a directory, or a file that ends in .json', '.')
  .action(async (place: string) => {
    const { init } = await import('./init.ts');
    end(await init(place));
  });

program
  .command('demo')
  .description('run the distributed chat until Ctrl-C: two nodes, a back end and a page')
  .option('--port <first>', 'use 9 consecutive ports from this one, instead of those in the example', parsePort)
  .action(async (options: { port?: number }) => {
    const { demo } = await import('./demo.ts');
    await demo(options.port);
  });

askedOf(program.command('status'), 'monitor')
  .description('show the state of a running node; exits with 0: ready, 2: degraded or draining, 1: cannot be asked')
  .option('--cluster', 'all nodes of its cluster')
  .option('--json', 'as JSON, with all metrics')
  .action(async (options: WhereOptions & StatusOptions) => end(await carryOut('status', 'monitor', options, status)));

askedOf(program.command('tree'), 'monitor')
  .description('show the supervision tree of a running node')
  .option('--depth <levels>', 'show at most this many levels below the top', parseCount)
  .option('--limit <children>', 'show at most this many children of each supervisor (default: 100)', parseCount)
  .option('--path <ids>', 'start at this actor: ids separated by slashes')
  .addOption(new Option('--sort <order>', 'sort by waiting messages, most first').choices(['mailbox']))
  .option('--cluster', 'the trees of all nodes of its cluster')
  .option('--json', 'as JSON')
  .action(async (options: WhereOptions & TreeCommandOptions) => end(await carryOut('tree', 'monitor', options, tree)));

askedOf(program.command('top'), 'monitor')
  .description('watch a running node: rates, latencies, back-end pools, busiest actors; q quits')
  .option('-i, --interval <seconds>', 'time between two samples', parseInterval, 2)
  .addOption(new Option('--sort <order>', 'order of the actors').choices(['rate', 'mailbox']).default('rate'))
  .option('--cluster', 'all nodes of its cluster')
  .option('--once', 'print one sample as text (always without a terminal)')
  .action(async (options: WhereOptions & TopOptions) => end(await carryOut('top', 'monitor', options, top)));

askedOf(program.command('drain'), 'api')
  .description(
    'take a running node out of rotation without stopping it; exits with 0: it is drained, 2: not yet, 1: it could not be asked',
  )
  .option('--undo', 'put it back: it accepts new clients again')
  .option('--timeout <seconds>', 'how long to wait until its sessions have been handed over', parseCount, 300)
  .action(async (options: WhereOptions & DrainOptions) => end(await carryOut('drain', 'api', options, drain)));

askedOf(program.command('stop'), 'api')
  .description('stop a running node gracefully; exits with 0: it has ended, 2: not yet, 1: it could not be asked')
  .option('--cluster', 'all nodes of its cluster, one after the other, this one last')
  .option('--timeout <seconds>', 'how long to wait for its end', parseCount, 300)
  .action(async (options: WhereOptions & StopOptions) => end(await carryOut('stop', 'api', options, stop)));

/** Does not wait for what a plugin may have left running. */
function end(code: number): void {
  process.exit(code);
}

function parseMode(text: string): Override[] {
  if (text === 'production' || text === 'development') return collectOverride(`hive.mode=${text}`);
  throw new InvalidArgumentError('It must be production or development.');
}

function parseCount(text: string): number {
  if (/^\d{1,6}$/.test(text)) return Number(text);
  throw new InvalidArgumentError('It must be a whole number.');
}

function parsePort(text: string): number {
  const port = parseCount(text);
  if (port >= 1 && port <= 65_527) return port;
  throw new InvalidArgumentError('It must be from 1 to 65527.');
}

function parseInterval(text: string): number {
  const seconds = Number(text);
  if (seconds >= 0.5 && seconds <= 60) return seconds;
  throw new InvalidArgumentError('It must be from 0.5 to 60.');
}

try {
  await program.parseAsync();
} catch (error) {
  try {
    if (!(error instanceof CommanderError)) throw error;
    await told;
    end(error.exitCode);
  } catch (error) {
    if (!(error instanceof Failure)) throw error;
    process.stderr.write(`hive: ${error.message}\n`);
    end(1);
  }
}
