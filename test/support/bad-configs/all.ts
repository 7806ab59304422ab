/** Every mistake in the collection; for the loader's test and for the command line's. */
import type { BadConfig } from './bad-config.ts';
import { inFiles } from './files.ts';
import { inPlugins } from './plugins.ts';
import { inValues } from './values.ts';

export const badConfigs: readonly BadConfig[] = [...inFiles, ...inValues, ...inPlugins];
