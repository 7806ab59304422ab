/**
 * A Debian system in a folder, and commands in it: for what must be tried on another Debian than this machine's. Needs root,
 * `debootstrap` and, for the first time, a network.
 *
 *   const root = await debianRoot();                        // cached, pristine: whoever changes it takes a copy
 *   const copy = copyRoot(root, '/tmp/mine');
 *   await installNode(copy, 24);                            // with npm
 *   spawn(...command(copy, ['node', '--version']));         // as process 1 of namespaces of its own
 *
 * On the command line, to look around: node scripts/debian-root.mjs [FOLDER] [-- COMMAND …]
 */
import { execFileSync, spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { chmodSync, cpSync, existsSync, mkdirSync, readdirSync, renameSync, rmSync, symlinkSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';

/** Where roots and packages are kept between runs. */
export const cache = resolve(process.env.HIVE_CACHE ?? '/var/cache/hive');

/**
 * The folder of a pristine Debian, made if it is not cached.
 * @param {{ suite?: string, packages?: readonly string[] }} options `packages`: more than the minimum
 * @returns {string}
 */
export function debianRoot({ suite = 'trixie', packages = [] } = {}) {
  if (process.getuid?.() !== 0) throw new Error('a Debian root is made and entered by root only');
  if (packages.length > 0) {
    // By apt: debootstrap cannot order the configuration of larger ones.
    return cached(`${suite}-${shortHash(packages.join())}-${process.arch}`, (folder) => {
      copyRoot(debianRoot({ suite }), folder);
      const env = { DEBIAN_FRONTEND: 'noninteractive' };
      for (const action of [['update'], ['install', '--yes', '--no-install-recommends', ...packages], ['clean']]) {
        const [program, args] = command(folder, ['apt-get', '--quiet', ...action], { env });
        run(program, ...args);
      }
    });
  }
  return cached(`${suite}-${process.arch}`, (folder) => {
    run('debootstrap', '--variant=minbase', suite, folder, mirror());
    rmSync(join(folder, 'var/cache/apt/archives'), { recursive: true, force: true });
    mkdirSync(join(folder, 'var/cache/apt/archives/partial'), { recursive: true });
  });
}

/** A copy that may be changed. Nothing may be there yet. */
export function copyRoot(from, to) {
  run('cp', '--archive', '--reflink=auto', from, to);
  return to;
}

/** Puts Node and npm where the `node` images have them: /usr/local/bin. */
export function installNode(root, major) {
  const name = `node-linux-${process.arch}`;
  cpSync(join(npmPackage(name, major), 'bin/node'), join(root, 'usr/local/bin/node'));
  chmodSync(join(root, 'usr/local/bin/node'), 0o755);
  const npm = join(root, 'usr/local/lib/node_modules/npm');
  cpSync(npmPackage('npm', 11), npm, { recursive: true });
  for (const tool of ['npm', 'npx'])
    symlinkSync(`../lib/node_modules/npm/bin/${tool}-cli.js`, join(root, 'usr/local/bin', tool));
}

/**
 * What to spawn so that `argv` runs in the root as process 1: program and arguments. Signals go to it through its parent's
 * end only (`SIGKILL`); for others see `init`.
 * @param {string} root
 * @param {readonly string[]} argv
 * @param {object} [options]
 * @param {string} [options.cwd] inside
 * @param {string | number} [options.user] `uid:gid` as numbers, or `uid`
 * @param {Readonly<Record<string, string>>} [options.env] all that it gets besides PATH and HOME
 * @param {Readonly<Record<string, string>>} [options.binds] folders or files there → those of this machine that they show
 * @param {string} [options.netns] a network namespace; without, this process's own
 * @param {boolean} [options.readOnly] whether nothing can be written but to /dev, /run and what is bound
 * @returns {[string, string[]]}
 */
export function command(root, argv, { cwd = '/', user, env = {}, binds = {}, netns, readOnly = false } = {}) {
  const [uid, gid = uid] = user === undefined ? [] : String(user).split(':');
  const as = uid === undefined ? [] : ['setpriv', `--reuid=${uid}`, `--regid=${gid}`, '--clear-groups'];
  const variables = { PATH: '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin', HOME: '/root', ...env };
  const mounts = Object.entries(binds).flatMap(([to, from]) => [join(root, to), resolve(from)]);
  const inside = ['sh', '-c', 'cd "$0" && exec "$@"', cwd, ...as, ...argv];
  const namespaces = ['unshare', '--mount', '--pid', '--fork', '--kill-child', '--'];
  const prepare = ['sh', '-ec', entry, root, `${readOnly}`, `${mounts.length / 2}`, ...mounts];
  const chroot = ['chroot', root, 'env', '-i', ...Object.entries(variables).map(([name, value]) => `${name}=${value}`)];
  const all = [...namespaces, ...prepare, ...chroot, ...inside];
  const [program, ...rest] = netns === undefined ? all : ['ip', 'netns', 'exec', netns, ...all];
  return [program, rest];
}

/** `$0` is the root, `$1` whether it is read-only, `$2` how many pairs of target and source follow, then comes the command. */
const entry = `
readOnly=$1 count=$2; shift 2
mount --bind "$0" "$0"
mount -t proc proc "$0/proc"
mount --rbind /dev "$0/dev"
mount -t tmpfs tmpfs "$0/run"
while [ "$count" -gt 0 ]; do
  if [ -d "$2" ]; then mkdir -p "$1"; else mkdir -p "$(dirname "$1")"; touch "$1"; fi
  mount --bind "$2" "$1"
  shift 2; count=$((count - 1))
done
if [ "$readOnly" = true ]; then mount -o remount,bind,ro "$0"; fi
exec "$@"`;

/** The process in the root: the only child of what `command` has started as `pid`. */
export function init(pid) {
  const [child] = execFileSync('ps', ['-o', 'pid=', '--ppid', String(pid)], { encoding: 'utf8' })
    .trim()
    .split(/\s+/);
  if (!child) throw new Error(`nothing runs in the root under process ${pid}`);
  return Number(child);
}

/** A package of the npm registry, unpacked: the newest of a major version when it was asked for first. */
export function npmPackage(name, major) {
  return cached(`${name}-${major}`, (folder) => {
    const home = `${folder}.home`;
    mkdirSync(home, { recursive: true });
    run(
      'npm',
      'install',
      '--prefix',
      home,
      '--no-save',
      '--ignore-scripts',
      '--no-audit',
      '--no-fund',
      `${name}@${major}`,
    );
    renameSync(join(home, 'node_modules', name), folder);
    rmSync(home, { recursive: true });
  });
}

/** Debian's mirror of this machine, as apt knows it. */
function mirror() {
  const targets = spawnSync('apt-get', ['indextargets', '--format', '$(REPO_URI)'], { encoding: 'utf8' }).stdout ?? '';
  return targets.split('\n').find((uri) => /\/debian\/?$/.test(uri)) ?? 'http://deb.debian.org/debian';
}

/** Made beside its place and moved there when it is complete, so that an interrupted run leaves nothing that looks so. */
function cached(name, make) {
  const folder = join(cache, name);
  if (existsSync(folder)) return folder;
  mkdirSync(cache, { recursive: true });
  for (const half of readdirSync(cache).filter((entry) => entry.startsWith(`${name}.`)))
    if (!alive(half.slice(name.length + 1))) rmSync(join(cache, half), { recursive: true });
  const half = `${folder}.${process.pid}`;
  make(half);
  renameSync(half, folder);
  return folder;
}

/** Whether the process still runs that makes a folder with this ending. */
function alive(ending) {
  return existsSync(join('/proc', ending.split('.')[0]));
}

function shortHash(text) {
  return createHash('sha256').update(text).digest('hex').slice(0, 8);
}

/** Its output goes to stderr; throws if it fails. */
function run(program, ...args) {
  const { status, error } = spawnSync(program, args, { stdio: ['ignore', 2, 2] });
  if (error || status !== 0) throw error ?? new Error(`${program} ${args.join(' ')} ended with ${status}`);
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const at = process.argv.indexOf('--');
  const [folder = debianRoot()] = process.argv.slice(2, at < 0 ? undefined : at);
  const argv = at < 0 ? ['bash'] : process.argv.slice(at + 1);
  process.exit(spawnSync(...command(folder, argv), { stdio: 'inherit' }).status ?? 1);
}
