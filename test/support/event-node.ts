/** A node in the process of the test, and what it publishes on the channels of events. */
import assert from 'node:assert/strict';
import { subscribe, unsubscribe } from 'node:diagnostics_channel';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { TestContext } from 'node:test';
import { fileURLToPath } from 'node:url';
import { startNode } from '../../src/node/node.ts';
import { loadWithPlugins } from '../../src/plugins/load-with-plugins.ts';
import { type Sections, writeDefaultConfig } from './default-node.ts';
import { documentedEvents } from './event-docs.ts';
import { eventually } from './eventually.ts';

const plugin = fileURLToPath(new URL('event-plugin.ts', import.meta.url));
const moments = ['start', 'end', 'asyncStart', 'asyncEnd', 'error'];

export interface Published {
  /** `hive:connect`, `hive:hook start`, … */
  readonly name: string;
  /** The record as it was when it was published. */
  readonly event: Readonly<Record<string, unknown>>;
  readonly record: object;
}

/** Everything that all nodes of the process publish, until the test ends; only through Node's interface, as strangers would. */
export class Recorder {
  readonly all: Published[] = [];

  constructor(t: TestContext) {
    const documented = documentedEvents();
    for (const [channel, fields] of documented) {
      const isTrace = fields.has('waits');
      for (const moment of isTrace ? moments : [undefined]) {
        const name = moment === undefined ? channel : `tracing:${channel}:${moment}`;
        const title = moment === undefined ? channel : `${channel} ${moment}`;
        const listener = (record: unknown): void => {
          const event = { ...(record as object) } as Record<string, unknown>;
          this.all.push({ name: title, event, record: record as object });
          assert.deepEqual(Object.keys(event).sort(), [...fields.keys()].sort(), `the fields of ${title}`);
        };
        subscribe(name, listener);
        t.after(() => unsubscribe(name, listener));
      }
    }
  }

  /** Those of that channel which fit. */
  of(name: string, fits: Record<string, unknown> = {}): Published['event'][] {
    return this.#find((published) => published.name === name, fits).map(({ event }) => event);
  }

  /** The moments of a hook or request that fits, with what distinguishes them. */
  moments(channel: string, fits: Record<string, unknown>): Published[] {
    return this.#find(({ name }) => name.startsWith(`${channel} `), fits);
  }

  /** Waits until there is one. */
  async first(name: string, fits: Record<string, unknown> = {}): Promise<Published['event']> {
    return eventually(() => this.of(name, fits)[0], `${name} ${JSON.stringify(fits)}`);
  }

  #find(isOf: (published: Published) => boolean, fits: Record<string, unknown>): Published[] {
    return this.all.filter(
      (published) => isOf(published) && Object.entries(fits).every(([key, value]) => published.event[key] === value),
    );
  }
}

export interface EventNode {
  readonly name: string;
  readonly url: string;
  api(path: string, body: unknown): Promise<Response>;
  stop(): Promise<void>;
}

/** Starts a node that ends with the test. */
export async function startEventNode(
  t: TestContext,
  change: (config: Sections) => void = () => {},
): Promise<EventNode> {
  const directory = mkdtempSync(join(tmpdir(), 'hive-events-'));
  const file = await writeDefaultConfig(directory, 'hive.json', (config) => {
    config.plugins = [plugin] as never;
    config.log!.console_level = 'none';
    config.hive!.mode = 'development';
    config.connectors = {
      backoff_time: 0,
      backoff_num: 3,
      pools: { away: { connector: 'events.away', size: 1, overflow: 0, args: null } },
    };
    change(config);
  });
  const { config, plugins } = await loadWithPlugins(file);
  const node = await startNode(config, plugins);
  const stop = async () => {
    node.stop('the test is over');
    await node.ended;
    rmSync(directory, { recursive: true, force: true });
  };
  t.after(stop);
  const api = (path: string, body: unknown) =>
    fetch(`${node.addresses.api}/api/${config.api.hash}/${path}`, { method: 'POST', body: JSON.stringify(body) });
  return { name: node.name, url: node.addresses.client, api, stop };
}
