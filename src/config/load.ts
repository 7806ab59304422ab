/**
 * Loads a configuration:
 *
 *   main file ── parse ── replace ${ENV} ── for each section: follow file names ── import the modules of `plugins`
 *        ── overrides ── schema (+ defaults) ── values that must go together ── plugins' args ── complete, freeze
 *
 * Nothing is probed: no connection is made and no port opened (unless a plugin's module does so when it is imported). All problems of all sections are found in one go; only
 * checks that would rely on a misshapen section wait until that one is fixed.
 */
import { dirname, resolve } from 'node:path';
import { type ArgsSchema, applyOverrides, strayOverrides } from './apply-overrides.ts';
import type { Imported, ImportPlugins, PluginCatalogue } from './catalogue.ts';
import { type CertificateFiles, checkCertificates } from './certificates.ts';
import { checkPlugins } from './check-plugins.ts';
import { findInconsistencies } from './consistency.ts';
import { openFolder } from './machine.ts';
import { completeNodeName } from './node-name.ts';
import { environmentOverrides, type Override } from './overrides.ts';
import { ConfigError, type Problem } from './problem.ts';
import { emptySection, sections } from './schema/sections.ts';
import { type Source, SourceReader } from './source.ts';
import { suggest } from './suggest.ts';
import type { Config, SectionName, Sections } from './types.ts';
import { validate } from './validate.ts';

const sectionNames = Object.keys(sections) as SectionName[];

export interface LoadedConfig<Catalogue extends PluginCatalogue> {
  readonly config: Config;
  /** What the configuration was checked against: what a node needs besides it. */
  readonly plugins: Catalogue;
  /** What is probably not meant, yet possible. */
  readonly warnings: readonly Problem[];
  /** What is worth a thought, and may well be meant. */
  readonly notes: readonly Problem[];
  /** Every file that was read, the main one first. */
  readonly files: readonly string[];
}

export interface LoadOptions<Catalogue extends PluginCatalogue> {
  readonly importPlugins: ImportPlugins<Catalogue>;
  /** Where `${NAME}` is looked up, and whose `HIVE__…` override the files; the process's environment if absent. */
  readonly env?: NodeJS.ProcessEnv | undefined;
  /** What overrides the files and the environment. */
  readonly overrides?: readonly Override[] | undefined;
}

/** Rejects with a `ConfigError` that has every problem if there is one. */
export async function loadConfig<Catalogue extends PluginCatalogue>(
  file: string,
  { importPlugins, env = process.env, overrides: given = [] }: LoadOptions<Catalogue>,
): Promise<LoadedConfig<Catalogue>> {
  const reader = new SourceReader(file, env);
  const sources = readSections(reader);
  const problems = reader.problems;
  const overrides = [...environmentOverrides(env), ...given];
  problems.push(...strayOverrides(overrides, sectionNames));
  const override = (name: SectionName, argsSchema: ArgsSchema): void => {
    const source = sources.get(name);
    if (source) problems.push(...applyOverrides(overrides, name, sections[name], source, argsSchema));
  };
  override('plugins', () => undefined);
  const { catalogue, faults } = await importModules(importPlugins, sources.get('plugins'), dirname(file), problems);
  for (const name of sectionNames) {
    if (name !== 'plugins') override(name, (kind, plugin) => catalogue.find(kind, plugin)?.args);
  }
  const violated = new Set<string>();
  let sound = sources.size === sectionNames.length;
  for (const [name, source] of sources) {
    for (const violation of validate(sections[name], source.value)) {
      problems.push(source.problem('invalid_config', violation));
      violated.add(name + violation.pointer);
      sound &&= !violation.misshapen;
    }
  }

  // the one place where checked JSON becomes typed values
  const draft = sound
    ? (Object.fromEntries([...sources].map(([name, { value }]) => [name, value])) as Sections)
    : undefined;
  const warnings: Problem[] = [];
  const notes: Problem[] = [];
  const lists = { error: problems, warning: warnings, note: notes };
  if (draft) {
    for (const { section, code, severity, ...finding } of findInconsistencies(draft)) {
      if (violated.has(section + finding.pointer)) continue;
      lists[severity].push(sources.get(section)!.problem(code, finding));
    }
    resolveFiles(draft, sources, dirname(file), problems, warnings);
  }
  const config = draft && complete(draft);
  // a name that nobody knows may be in a module that could not be used
  problems.push(...checkPlugins(catalogue, sources, config, faults.length === 0));
  const all = reader.withUnexpanded(problems, sources.values());
  const [first, ...more] = inReadingOrder(all, reader.files);
  if (first) throw new ConfigError([first, ...more]);
  if (!config) throw new Error('a configuration without problems is incomplete');
  const danger = openFolder(dirname(file));
  if (danger !== undefined) warnings.push({ file, path: '', code: 'plugins_error', reason: danger });
  return { config: freeze(config), plugins: catalogue, warnings, notes, files: reader.files };
}

/** Imports what the section names, as far as it is well-formed; modules that cannot be used become problems. */
async function importModules<Catalogue extends PluginCatalogue>(
  importPlugins: ImportPlugins<Catalogue>,
  source: Source | undefined,
  directory: string,
  problems: Problem[],
): Promise<Imported<Catalogue>> {
  const names = Array.isArray(source?.value) ? source.value : [];
  const wellFormed = names.filter((name) => typeof name === 'string' && name !== '');
  const imported = await importPlugins(
    wellFormed.map((name) => moduleName(name, directory)),
    resolve(directory),
  );
  for (const { index, reason } of imported.faults) {
    const value = wellFormed[index];
    const pointer = `/${names.indexOf(value)}`;
    const finding = { pointer, reason: source!.withoutInserted(pointer, reason), value };
    problems.push(source!.problem('plugins_error', finding));
  }
  return imported;
}

/** Names of files become absolute, those of packages stay. */
function moduleName(name: string, directory: string): string {
  return /^\.{0,2}\//.test(name) ? resolve(directory, name) : name;
}

/** By file, then from top to bottom. */
function inReadingOrder(problems: readonly Problem[], files: readonly string[]): Problem[] {
  const fileOf = ({ file }: Problem) => (file === undefined ? -1 : files.indexOf(file));
  const lineOf = ({ position }: Problem) => position?.line ?? 0;
  const columnOf = ({ position }: Problem) => position?.column ?? 0;
  return problems.toSorted((a, b) => fileOf(a) - fileOf(b) || lineOf(a) - lineOf(b) || columnOf(a) - columnOf(b));
}

/** The source of every section whose files can be read. */
function readSections(reader: SourceReader): Map<SectionName, Source> {
  const found = new Map<SectionName, Source>();
  const main = reader.main();
  if (!main) return found;
  const { value } = main;
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    reader.problems.push(
      main.problem('invalid_config', { pointer: '', reason: 'must be an object with one key per section' }),
    );
    return found;
  }
  for (const key of Object.keys(value)) {
    if (Object.hasOwn(sections, key) || key === '$schema') continue;
    const suggestion = suggest(key, Object.keys(sections));
    const finding = { pointer: '', reason: 'unknown section', ...(suggestion ? { suggestion } : {}) };
    reader.problems.push(main.member(key, undefined).problem('schema_not_found', finding));
  }
  for (const name of sectionNames) {
    const present = Object.hasOwn(value, name);
    const inMain = main.member(name, present ? Reflect.get(value, name) : emptySection(name));
    const source = reader.follow(inMain, name);
    if (source) found.set(name, source);
  }
  return found;
}

/** Makes the names of files absolute, and says what is wrong with certificates and keys. */
function resolveFiles(
  draft: Sections,
  sources: ReadonlyMap<SectionName, Source>,
  directory: string,
  problems: Problem[],
  warnings: Problem[],
): void {
  const holders: [SectionName, string, CertificateFiles | undefined][] = [
    ['hive', '/tls', draft.hive.tls],
    ['hive', '/cluster_tls', draft.hive.cluster_tls],
    ['api', '/tls', draft.api.tls],
    ['monitor', '/tls', draft.monitor.tls],
  ];
  for (const [section, pointer, holder] of holders) {
    if (!holder) continue;
    const given = { ...holder };
    for (const [key, name] of Object.entries(given)) {
      if (key.endsWith('_file')) Reflect.set(holder, key, resolve(directory, name));
    }
    for (const { key, code, reason, warning } of checkCertificates(holder)) {
      const finding = { pointer: `${pointer}/${key}`, reason, value: given[key] };
      (warning ? warnings : problems).push(sources.get(section)!.problem(code, finding));
    }
  }
  draft.plugins = draft.plugins.map((name) => moduleName(name, directory));
}

/** Fills in what follows from other values. */
function complete(draft: Sections): Config {
  const { hive } = draft;
  const name = completeNodeName(hive.name) ?? hive.name;
  return { ...draft, hive: { ...hive, name, cluster_cookie: hive.cluster_cookie ?? hive.cluster_name } };
}

function freeze<Value>(value: Value): Value {
  if (typeof value === 'object' && value !== null && !Object.isFrozen(value)) {
    Object.freeze(value);
    for (const member of Object.values(value)) freeze(member);
  }
  return value;
}
