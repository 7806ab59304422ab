/** A node process with the default configuration at addresses of its own. */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { HiveProcess } from './hive-process.ts';
import { freePorts } from './ports.ts';

const defaultConfig = fileURLToPath(new URL('../../config/hive.json', import.meta.url));

type Section = Record<string, unknown>;
export type Sections = Record<string, Section>;

/** Writes the default configuration with free ports into a directory; `change` may alter it before. Returns the file. */
export async function writeDefaultConfig(
  directory: string,
  name: string,
  change: (config: Sections) => void = () => {},
): Promise<string> {
  const [client, api, monitor, epmd, distribution] = await freePorts(5);
  const { $schema: _, ...written } = JSON.parse(readFileSync(defaultConfig, 'utf8')) as Sections;
  // What it leaves to the defaults, there to be changed.
  const config: Sections = { socketio: {}, connectors: { pools: {} }, ...written };
  Object.assign(config.hive!, {
    host: '127.0.0.1',
    port: client,
    // The last but one is what 0.9 clients in Node call their origin.
    allowed_origins: ['http://localhost:*', 'http://127.0.0.1:*', '127.0.0.1:*', null],
    epmd_port: epmd,
    cluster_port_min: distribution,
    cluster_port_max: distribution,
  });
  config.api!.port = api;
  config.monitor!.port = monitor;
  config.log!.dir = join(directory, 'log');
  change(config);
  const file = join(directory, name);
  writeFileSync(file, JSON.stringify(config));
  return file;
}

export class DefaultNode {
  readonly process: HiveProcess;
  readonly directory: string;
  readonly #sections: Sections;

  private constructor(process: HiveProcess, directory: string, config: Sections) {
    this.process = process;
    this.directory = directory;
    this.#sections = config;
  }

  /** @param through as of `HiveProcess` */
  static async start(
    change?: (config: Sections) => void,
    env: NodeJS.ProcessEnv = {},
    through: readonly string[] = [],
  ): Promise<DefaultNode> {
    const directory = mkdtempSync(join(tmpdir(), 'hive-node-'));
    const file = await writeDefaultConfig(directory, 'hive.json', change);
    const config = JSON.parse(readFileSync(file, 'utf8')) as Sections;
    const process = new HiveProcess(['run', file], env, through);
    await process.ready();
    return new DefaultNode(process, directory, config);
  }

  /** Another boot of it, once this one has ended. */
  async again(): Promise<DefaultNode> {
    const process = new HiveProcess(['run', join(this.directory, 'hive.json')]);
    await process.ready();
    return new DefaultNode(process, this.directory, this.#sections);
  }

  get url(): string {
    return this.address('client', '');
  }

  /** A URL at one of its servers; `KEY` in the path stands for that server's key. */
  address(server: 'client' | 'api' | 'monitor', path: string): string {
    const { port, hash } = this.#sections[server === 'client' ? 'hive' : server]!;
    return `http://127.0.0.1:${port}${path.replace('KEY', String(hash))}`;
  }

  api(method: string, path: string, body?: string): Promise<Response> {
    return fetch(this.address('api', `/api/KEY/${path}`), { method, ...(body === undefined ? {} : { body }) });
  }

  monitor(method: string, path: string): Promise<Response> {
    return fetch(this.address('monitor', `/monitor/KEY/${path}`), { method });
  }

  async stop(): Promise<void> {
    await this.process.stop();
    rmSync(this.directory, { recursive: true, force: true });
  }
}
