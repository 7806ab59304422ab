import { relative } from 'node:path';
import { fileURLToPath } from 'node:url';

/** The configuration that comes with Hive: one node, state in memory, the ping channels. */
export const defaultConfigFile = relative(
  process.cwd(),
  fileURLToPath(new URL('../../config/hive.json', import.meta.url)),
);
