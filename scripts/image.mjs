/**
 * Builds the image of the Dockerfile into a folder, without a container engine: its steps run in Debian roots made by
 * debootstrap. So the Dockerfile is tried for real where there is no engine; an image for use is made by `docker build`.
 *
 *   node scripts/image.mjs FOLDER     as root; prints how the image is to be run, as JSON
 *   node scripts/image.mjs --parse    prints the stages alone
 *
 * It knows the instructions that our Dockerfile uses, and refuses others rather than guess.
 */
import { execFileSync, spawnSync } from 'node:child_process';
import { cpSync, existsSync, lstatSync, mkdirSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { basename, join, posix, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { argumentsOf, refuse } from './arguments.mjs';
import { cache, command, copyRoot, debianRoot, installNode } from './debian-root.mjs';

const context = fileURLToPath(new URL('..', import.meta.url));

/** Base images that we can imitate, and how. */
const bases = [
  [/^debian:trixie-slim$/, (folder) => copyRoot(debianRoot({ suite: 'trixie' }), folder)],
  [
    /^node:(\d+)-trixie-slim$/,
    (folder, [, major]) => {
      copyRoot(debianRoot({ suite: 'trixie' }), folder);
      installNode(folder, major);
    },
  ],
];

/** How this machine reaches registries: its proxies, and the authorities that it trusts besides the usual ones. */
const authorities = process.env.NODE_EXTRA_CA_CERTS;
const proxies = Object.entries(process.env).filter(([name]) => /^(https?|no)_proxy$|^npm_config_registry$/i.test(name));
const machine = {
  env: { ...Object.fromEntries(proxies), ...(authorities ? { NODE_EXTRA_CA_CERTS: '/run/authorities.pem' } : {}) },
  binds: authorities ? { '/run/authorities.pem': authorities } : {},
};

const instructions = new Set([
  'RUN',
  'COPY',
  'WORKDIR',
  'ENV',
  'USER',
  'EXPOSE',
  'STOPSIGNAL',
  'HEALTHCHECK',
  'ENTRYPOINT',
  'CMD',
]);

/** The stages in order: `{ name?, from, steps: [{ line, instruction, options, rest }] }`. */
export function parseDockerfile(text) {
  const stages = [];
  for (const { line, content } of logicalLines(text)) {
    const [, instruction, options, rest] = /^([A-Z]+)((?:\s+--[a-z-]+=\S+)*)\s+(.*)$/s.exec(content) ?? [];
    if (instruction === 'FROM') {
      const [, from, name] = /^(\S+)(?: AS (\S+))?$/.exec(rest) ?? fail(line, content);
      stages.push({ name, from, steps: [] });
    } else if (instructions.has(instruction) && stages.length > 0) {
      const pairs =
        options.trim() === ''
          ? []
          : options
              .trim()
              .split(/\s+/)
              .map((option) => option.slice(2).split(/=(.*)/s, 2));
      stages.at(-1).steps.push({ line, instruction, options: Object.fromEntries(pairs), rest });
    } else fail(line, content);
  }
  return stages;
}

/** Lines without comments, continued ones as one. */
function logicalLines(text) {
  const lines = [];
  let open;
  for (const [at, raw] of text.split('\n').entries()) {
    if (/^\s*(#|$)/.test(raw)) continue;
    open ??= { line: at + 1, content: '' };
    open.content += raw.trim().replace(/\\$/, '');
    if (raw.trimEnd().endsWith('\\')) continue;
    lines.push(open);
    open = undefined;
  }
  return lines;
}

function fail(line, content) {
  throw new Error(`Dockerfile:${line}: not understood here: ${content}`);
}

/** What stays of a stage besides files. */
function freshSettings() {
  return { env: {}, cwd: '/', user: '0:0', ports: [] };
}

class Build {
  #stages;
  #scratch;
  #done = new Map();

  constructor(stages, scratch) {
    this.#stages = stages;
    this.#scratch = scratch;
  }

  /** The stage of that name or, without, the last; made once. */
  stage(name) {
    const stage = name === undefined ? this.#stages.at(-1) : this.#stages.find((other) => other.name === name);
    if (!stage) return undefined;
    if (!this.#done.has(stage)) this.#done.set(stage, this.#make(stage));
    return this.#done.get(stage);
  }

  #make({ name = 'image', from, steps }) {
    const folder = join(this.#scratch, name);
    const parent = this.stage(from);
    const settings = parent ? structuredClone(parent.settings) : freshSettings();
    if (parent) copyRoot(parent.folder, folder);
    else {
      const [pattern, make] = bases.find(([known]) => known.test(from)) ?? [];
      if (!make) throw new Error(`${name}: the base image ${from} cannot be imitated`);
      make(folder, pattern.exec(from));
    }
    for (const step of steps) this.#perform(folder, settings, step);
    return { folder, settings };
  }

  #perform(root, settings, { line, instruction, options, rest }) {
    if (instruction === 'RUN') return runStep(root, settings, options, rest, line);
    if (instruction === 'COPY') return this.#copy(root, settings, options, rest, line);
    if (instruction === 'WORKDIR') {
      settings.cwd = posix.resolve(settings.cwd, rest);
      mkdirSync(join(root, settings.cwd), { recursive: true });
    } else if (instruction === 'ENV') {
      for (const [, key, value] of rest.matchAll(/(\w+)=(\S+)/g)) settings.env[key] = value;
    } else if (instruction === 'USER') settings.user = rest;
    else if (instruction === 'EXPOSE') settings.ports.push(...rest.split(/\s+/).map(Number));
    else if (instruction === 'STOPSIGNAL') settings.stopSignal = rest;
    else if (instruction === 'HEALTHCHECK') settings.healthCheck = JSON.parse(rest.replace(/^CMD /, ''));
    else if (instruction === 'ENTRYPOINT') settings.entryPoint = JSON.parse(rest);
    else settings.command = JSON.parse(rest);
  }

  #copy(root, settings, { from, ...others }, rest, line) {
    if (Object.keys(others).length > 0) fail(line, `COPY --${Object.keys(others).join(' --')}`);
    const paths = rest.split(/\s+/);
    const to = paths.pop();
    const target = join(root, posix.resolve(settings.cwd, to));
    const source = from === undefined ? undefined : this.stage(from);
    if (from !== undefined && !source) fail(line, `COPY --from=${from}`);
    for (const path of paths) {
      if (!source && !inContext(path)) throw new Error(`Dockerfile:${line}: .dockerignore keeps ${path} away`);
      const origin = source ? join(source.folder, path) : join(context, path);
      // A folder's content is copied into the target, a file becomes the target or goes into it.
      const into = to.endsWith('/') && !lstatSync(origin).isDirectory();
      cpSync(origin, into ? join(target, basename(path)) : target, { recursive: true, verbatimSymlinks: true });
    }
  }
}

function runStep(root, { env, cwd, user }, { mount }, rest, line) {
  const cacheFolder = mount === undefined ? undefined : /^type=cache,target=(\S+)$/.exec(mount)?.[1];
  if (mount !== undefined && !cacheFolder) fail(line, `RUN --mount=${mount}`);
  const kept = join(cache, 'run', basename(cacheFolder ?? ''));
  if (cacheFolder) mkdirSync(kept, { recursive: true });
  const binds = { ...(cacheFolder ? { [cacheFolder]: kept } : {}), ...machine.binds };
  const [program, args] = command(root, ['/bin/sh', '-c', rest], { cwd, env: { ...env, ...machine.env }, user, binds });
  const { status } = spawnSync(program, args, { stdio: ['ignore', 2, 2] });
  if (status !== 0) throw new Error(`Dockerfile:${line}: the step ended with ${status}: ${rest}`);
}

/** Whether .dockerignore lets a path of the repository through: `*` keeps all away but what a line with `!` names. */
function inContext(path) {
  const lines = readFileSync(join(context, '.dockerignore'), 'utf8').split('\n');
  return lines.includes('*') && lines.includes(`!${path.split('/')[0]}`);
}

/** Builds the last stage into a folder that does not exist yet; returns how it is run. */
export function buildImage(folder) {
  if (existsSync(folder)) throw new Error(`${folder} is there already`);
  const scratch = mkdtempSync(`${resolve(folder)}.build-`);
  try {
    const build = new Build(parseDockerfile(readFileSync(join(context, 'Dockerfile'), 'utf8')), scratch);
    const image = build.stage();
    execFileSync('mv', [image.folder, folder]);
    return image.settings;
  } finally {
    rmSync(scratch, { recursive: true, force: true });
  }
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const { values, positionals } = argumentsOf({ parse: { type: 'boolean' } }, { allowPositionals: true });
  const [folder] = positionals;
  if (!values.parse && folder === undefined) refuse('name a folder, or --parse');
  const parse = () => parseDockerfile(readFileSync(join(context, 'Dockerfile'), 'utf8'));
  console.log(JSON.stringify(values.parse ? parse() : buildImage(folder), null, 2));
}
