/** Hive as a library: load a configuration, start a node in this process. */
export { type LoadedConfig, loadConfig } from './config/load.ts';
export { ConfigError, formatProblem, type Problem } from './config/problem.ts';
export type { Config } from './config/types.ts';
export { type End, type Node, startNode } from './node.ts';
export { type ErrorCode, HiveError } from './observe/errors.ts';
export { builtInCatalogue } from './plugins/registry.ts';
export { version } from './version.ts';
