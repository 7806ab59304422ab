/**
 * Which node a command asks. In this order:
 *
 *   --url URL --key KEY     or the key from HIVE_MONITOR_KEY, HIVE_API_KEY, which keeps it out of process lists
 *   --config FILE, --set    the latter of the configuration that is read without it, too
 *   HIVE_MONITOR_URL or HIVE_API_URL
 *   HIVE_CONFIG
 *   the default configuration
 */
import { X509Certificate } from 'node:crypto';
import { readFileSync } from 'node:fs';
import type { Command } from 'commander';
import type { Override } from '../../config/overrides.ts';
import { ConfigError, formatProblem } from '../../config/problem.ts';
import { readServerAddress } from '../../config/server-address.ts';
import { collectOverride } from '../collect-override.ts';
import { defaultConfigFile } from '../default-config-file.ts';
import { Failure } from './failure.ts';

export type ServerKind = 'monitor' | 'api';

export interface WhereOptions {
  readonly config?: string;
  readonly set?: readonly Override[];
  readonly url?: string;
  readonly key?: string;
  readonly ca?: string;
  readonly insecure?: boolean;
}

/** A server of a running node. */
export interface Where {
  readonly kind: ServerKind;
  /** `http://host:port` */
  readonly origin: string;
  readonly key: string;
  /** What said so, for errors. */
  readonly source: string;
  /** PEM of further authorities that may have signed its certificate. */
  readonly authorities: string | undefined;
  /** The very certificate that it shows, which needs no authority. */
  readonly certificate: X509Certificate | undefined;
  /** Its certificate does not matter. */
  readonly insecure: boolean;
}

const names = { monitor: 'monitor', api: 'API' };

/** Adds the options that say which node is asked. */
export function askedOf(command: Command, kind: ServerKind): Command {
  const NAME = kind.toUpperCase();
  return command
    .option('-c, --config <file>', `configuration of the node, for address and key of its ${names[kind]} (HIVE_CONFIG)`)
    .option('--set <key=value>', 'override one key of that configuration; may be repeated', collectOverride)
    .option('-u, --url <url>', `the ${names[kind]} of the node, http://host:port (HIVE_${NAME}_URL)`)
    .option('-k, --key <key>', `its key; visible to others in process lists: prefer HIVE_${NAME}_KEY`)
    .option('--ca <file>', 'PEM file of the authority that signed its certificate (HIVE_CA)')
    .option('--insecure', 'accept any certificate');
}

/** @throws Failure */
export function whereIs(kind: ServerKind, options: WhereOptions, env: NodeJS.ProcessEnv = process.env): Where {
  const { config, set, url, key, insecure = false } = options;
  if (config !== undefined && url !== undefined) throw new Failure('Give either --config or --url, not both.');
  if (set !== undefined && url !== undefined) throw new Failure('--set goes with a configuration, not with --url.');
  if (key !== undefined && url === undefined) throw new Failure('--key goes with --url.');
  const caFile = options.ca ?? env.HIVE_CA;
  const tls = { authorities: caFile ? readPem('The authority', caFile).text : undefined, insecure };
  const NAME = kind.toUpperCase();
  if (url !== undefined) return { ...given(kind, url, '--url', key ?? env[`HIVE_${NAME}_KEY`]), ...tls };
  const envUrl = env[`HIVE_${NAME}_URL`];
  if (config === undefined && set === undefined && envUrl)
    return { ...given(kind, envUrl, `HIVE_${NAME}_URL`, env[`HIVE_${NAME}_KEY`]), ...tls };
  return { ...configured(kind, config ?? (env.HIVE_CONFIG || defaultConfigFile), set), ...tls };
}

type Found = Omit<Where, 'authorities' | 'insecure'>;

function given(kind: ServerKind, url: string, source: string, key: string | undefined): Found {
  // The text itself is not shown: who puts the key into the path has it there.
  const wanted = `${source} must be like http://host:port, without a path`;
  let parsed: URL;
  try {
    parsed = new URL(url);
  } catch {
    throw new Failure(`${wanted}.`);
  }
  const { protocol, origin, pathname, search, username } = parsed;
  if (protocol !== 'http:' && protocol !== 'https:') throw new Failure(`${wanted}; ${protocol} is not spoken here.`);
  if (pathname !== '/' || search !== '' || username !== '') throw new Failure(`${wanted}; the key goes to --key.`);
  if (!key) throw new Failure(`There is no key for ${origin}: give --key or set HIVE_${kind.toUpperCase()}_KEY.`);
  return { kind, origin, key, source, certificate: undefined };
}

function configured(kind: ServerKind, file: string, overrides: readonly Override[] | undefined): Found {
  try {
    const { host, port, key, certificateFile } = readServerAddress(file, kind, overrides);
    const origin = `http${certificateFile ? 's' : ''}://${reachable(host)}:${port}`;
    const certificate =
      certificateFile === undefined ? undefined : readPem(`${kind}.tls.cert_file`, certificateFile).certificate;
    return { kind, origin, key, source: `${kind} of ${file}`, certificate };
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    const problems = error.problems.map((problem) => `${problem.code}: ${formatProblem(problem)}`);
    throw new Failure(`The configuration says nothing usable of the ${names[kind]}.\n${problems.join('\n')}`);
  }
}

/** Who listens on all addresses is asked on the loopback interface. */
function reachable(host: string): string {
  if (host === '0.0.0.0') return '127.0.0.1';
  if (host === '::') return '[::1]';
  return host.includes(':') ? `[${host}]` : host;
}

interface Pem {
  readonly text: string;
  /** The first one in the file. */
  readonly certificate: X509Certificate;
}

function readPem(what: string, file: string): Pem {
  try {
    const text = readFileSync(file, 'utf8');
    return { text, certificate: new X509Certificate(text) };
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    const reason = code === 'ENOENT' ? 'there is no such file' : message;
    throw new Failure(`${what} ${file} cannot be used: ${reason}.`);
  }
}
