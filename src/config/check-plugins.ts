/** The integrity check: every descriptor names a plugin that exists, and its args are what the plugin takes. */
import { titleOf } from '../observe/thrown.ts';
import { checkArgs, type PluginCatalogue, type PluginKind, type Refusal } from './catalogue.ts';
import { pointerTo } from './json.ts';
import type { Problem } from './problem.ts';
import type { Source } from './source.ts';
import { suggest } from './suggest.ts';
import type { Config } from './types.ts';

/** A place in the configuration that names a plugin and gives it args. */
interface Descriptor {
  readonly source: Source;
  /** Within the section. */
  readonly pointer: string;
  readonly kind: PluginKind;
  readonly name: string;
  /** The descriptor's object; its `args` are completed in place. */
  readonly object: Record<string, unknown>;
}

/**
 * Completes the args of all well-formed descriptors with the plugins' defaults and returns what is wrong with them.
 * `config` is what plugins may look things up in; undefined while sections are misshapen, then only schemas are checked.
 * Names that an incomplete catalogue lacks are let pass.
 */
export function checkPlugins(
  catalogue: PluginCatalogue,
  sources: ReadonlyMap<string, Source>,
  config: Config | undefined,
  isComplete: boolean,
): Problem[] {
  const found = [...descriptors(sources)].filter(({ kind, name }) => isComplete || catalogue.find(kind, name));
  const problems: Problem[] = [];
  const sound: Descriptor[] = [];
  for (const descriptor of found) {
    const wrong = checkDescriptor(catalogue, descriptor);
    problems.push(...wrong);
    if (wrong.length === 0) sound.push(descriptor);
  }
  if (!config) return problems;
  // after all args are complete: a plugin may look at another one's
  for (const descriptor of sound) {
    const problem = checkMeaning(catalogue, descriptor, config);
    if (problem) problems.push(problem);
  }
  return problems;
}

function checkDescriptor(catalogue: PluginCatalogue, { source, pointer, kind, name, object }: Descriptor): Problem[] {
  const contract = catalogue.find(kind, name);
  if (!contract) {
    const suggestion = suggest(name, catalogue.names(kind));
    const reason = `there is no ${kind.replace('_', ' ')} of that name`;
    return [source.problem('plugins_error', { pointer, reason, value: name, ...(suggestion ? { suggestion } : {}) })];
  }
  const { args, violations } = checkArgs(contract, object.args);
  object.args = args;
  return violations.map((violation) =>
    source.problem(contract.argsCode, { ...violation, pointer: `${pointer}/args${violation.pointer}` }),
  );
}

function checkMeaning(catalogue: PluginCatalogue, descriptor: Descriptor, config: Config): Problem | undefined {
  const { source, kind, name, object } = descriptor;
  const argsPointer = `${descriptor.pointer}/args`;
  let refusal: Refusal | undefined;
  try {
    refusal = catalogue.find(kind, name)?.check?.(object.args, config);
  } catch (error) {
    const reason = source.withoutInserted(argsPointer, `the plugin's check of its args crashed: ${titleOf(error)}`);
    return source.problem('plugins_error', { pointer: argsPointer, reason });
  }
  if (!refusal) return undefined;
  const segments = refusal.path === undefined ? [] : refusal.path.split(/[.[\]]+/).filter((segment) => segment !== '');
  const value = segments.reduce<unknown>(member, object.args);
  return source.problem(refusal.code, {
    pointer: segments.reduce(pointerTo, argsPointer),
    reason: source.withoutInserted(argsPointer, refusal.reason),
    ...(value === undefined ? {} : { value }),
    ...(refusal.suggestion === undefined ? {} : { suggestion: refusal.suggestion }),
  });
}

/** Connectors first, as hooks and state managers depend on them. Malformed descriptors are left to the schemas. */
function* descriptors(sources: ReadonlyMap<string, Source>): Iterable<Descriptor> {
  const connectors = sources.get('connectors');
  if (connectors) {
    const pools = member(connectors.value, 'pools');
    for (const [name, pool] of members(pools)) {
      yield* descriptor(connectors, pointerTo('/pools', name), 'connector', 'connector', pool);
    }
  }
  const clients = sources.get('clients');
  if (!clients) return;
  for (const [kind, key, section] of [
    ['hook', 'hook', 'hooks'],
    ['action', 'action', 'actions'],
  ] as const) {
    for (const [name, list] of members(member(clients.value, section))) {
      for (const [index, object] of members(list)) {
        yield* descriptor(clients, pointerTo(pointerTo(`/${section}`, name), index), kind, key, object);
      }
    }
  }
  yield* descriptor(clients, '/state', 'state_manager', 'state_manager', member(clients.value, 'state'));
}

function* descriptor(
  source: Source,
  pointer: string,
  kind: PluginKind,
  nameKey: string,
  object: unknown,
): Iterable<Descriptor> {
  const name = member(object, nameKey);
  if (typeof name === 'string' && name !== '' && member(object, 'args') !== undefined) {
    yield { source, pointer, kind, name, object: object as Record<string, unknown> };
  }
}

function member(value: unknown, key: string): unknown {
  return typeof value === 'object' && value !== null && Object.hasOwn(value, key) ? Reflect.get(value, key) : undefined;
}

function members(value: unknown): [string, unknown][] {
  return typeof value === 'object' && value !== null ? Object.entries(value) : [];
}
