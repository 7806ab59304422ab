/** Where a node's API or monitor listens, and its key, read from a configuration of which the rest is left alone. */
import { dirname, resolve } from 'node:path';
import { applyOverrides } from './apply-overrides.ts';
import { environmentOverrides, type Override } from './overrides.ts';
import { ConfigError, type Problem } from './problem.ts';
import { emptySection, sections } from './schema/sections.ts';
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
 * Overrides count as they do for the node. What is wrong elsewhere (a variable that only the node's environment has, say) does not matter here.
 * @throws ConfigError
 */
export function readServerAddress(
  file: string,
  section: 'api' | 'monitor',
  given: readonly Override[] = [],
  env: NodeJS.ProcessEnv = process.env,
): ServerAddress {
  const reader = new SourceReader(file, env);
  const main = reader.main();
  const value: unknown = main?.value;
  if (!main) throw failure(reader.problems);
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    throw failure([
      main.problem('invalid_config', { pointer: '', reason: 'must be an object with one key per section' }),
    ]);
  }
  const present = Object.hasOwn(value, section);
  const member = main.member(section, present ? Reflect.get(value, section) : emptySection(section));
  const source = reader.follow(member, section);
  const problems = reader.problems.filter(({ path }) => path === section || path.startsWith(`${section}.`));
  const overrides = [...environmentOverrides(env), ...given];
  if (source) problems.push(...applyOverrides(overrides, section, sections[section], source, () => undefined));
  for (const violation of source ? validate(sections[section], source.value) : []) {
    problems.push(source!.problem('invalid_config', violation));
  }
  const all = reader.withUnexpanded(problems, source ? [source] : [], section);
  if (!source || all.length > 0) throw failure(all);
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
