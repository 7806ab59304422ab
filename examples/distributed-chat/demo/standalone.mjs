/**
 * The distributed chat as `hive demo` runs it, wherever Hive is installed: it needs nothing but Node, and leaves nothing behind.
 * Configuration and logs are in a folder for temporary files as long as it runs.
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { takenPorts } from '../../shared/demo/obstacles.mjs';
import { backEnds, configFolder, runChat } from './run.mjs';
import { movedTo, portsInARow, readSettings, writeWithoutRedis } from './settings.mjs';

/** @param {number | undefined} port the first of the ports to use, in a row; without, those of the example */
export async function standalone(port) {
  // What overrides the configuration of other nodes here would give both of these the same.
  for (const name of Object.keys(process.env)) if (name.startsWith('HIVE__')) delete process.env[name];
  const folder = mkdtempSync(join(tmpdir(), 'hive-demo-'));
  process.once('exit', () => rmSync(folder, { recursive: true, force: true }));
  const move = port === undefined ? (_name, content) => content : movedTo(port);
  writeWithoutRedis(configFolder, folder, (name, content) => {
    const moved = move(name, content);
    return 'hive' in moved ? { ...moved, log: { ...moved.log, dir: join(folder, 'log', name) } } : moved;
  });
  const fileOf = (name) => join(folder, `${name}.json`);
  await runChat({
    settings: readSettings(folder, fileOf),
    fileOf,
    backEnd: backEnds.node,
    findObstacles: async (settings) => {
      const taken = (await takenPorts(settings, fileOf)).map(({ port: number }) => number);
      if (taken.length === 0) return [];
      const advice = `hive demo --port <first> uses ${portsInARow} others in a row`;
      return [`port${taken.length > 1 ? 's' : ''} ${taken.join(', ')} cannot be listened on; ${advice}.`];
    },
    more: [['Config', `${folder}   (until the demo ends)`]],
  });
}
