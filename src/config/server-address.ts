/** Where a node's API or monitor listens, and its key, read from a configuration of which the rest is left alone. */
import { dirname, resolve } from 'node:path';
import { ConfigError, type Problem } from './problem.ts';
import { sections } from './schema/sections.ts';
import { SourceReader } from './source.ts';
import type { Sections } from './types.ts';
import { validate } from './validate.ts';

export interface ServerAddress {
  readonly host: string;
  readonly port: number;
  readonly key: string;
  /** The certificate that it shows; undefined without TLS. */
  readonly certificateFile: string | undefined;
}

/**
 * What is wrong elsewhere (a variable that only the node's environment has, say) does not matter here.
 * @throws ConfigError
 */
export function readServerAddress(
  file: string,
  section: 'api' | 'monitor',
  env: NodeJS.ProcessEnv = process.env,
): ServerAddress {
  const reader = new SourceReader(file, env);
  const main = reader.main();
  const value: unknown = main?.value;
  if (!main) throw failure(reader.problems);
  if (typeof value !== 'object' || value === null || !Object.hasOwn(value, section)) {
    throw failure([main.problem('invalid_config', { pointer: '', reason: `it has no section ${section}` })]);
  }
  const source = reader.follow(main.member(section, Reflect.get(value, section)), section);
  const problems = reader.problems.filter(({ path }) => path === section || path.startsWith(`${section}.`));
  for (const violation of source ? validate(sections[section], source.value) : []) {
    problems.push(source!.problem('invalid_config', violation));
  }
  if (!source || problems.length > 0) throw failure(problems);
  // Checked, so it is what the schema says.
  const { host, port, hash, tls } = source.value as Sections['api' | 'monitor'];
  if (port === 0) {
    const reason = 'with port 0 nobody but the node knows where it listens';
    throw failure([source.problem('invalid_config', { pointer: '/port', reason, value: port })]);
  }
  return { host, port, key: hash, certificateFile: tls && resolve(dirname(file), tls.cert_file) };
}

function failure(problems: readonly Problem[]): ConfigError {
  const [first, ...more] = problems;
  if (!first) throw new Error('a configuration that cannot be used has no problem');
  return new ConfigError([first, ...more]);
}
