/** The package as users get it: packed, and installed globally into a folder of its own. */
import { execFile } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { delimiter, dirname, join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { Command } from './example.ts';
import { program } from './hive-process.ts';

const repository = fileURLToPath(new URL('../..', import.meta.url));
const run = promisify(execFile);

/** The registry cannot be asked: npm's codes. */
const offline = /\b(?:ENOTFOUND|EAI_AGAIN|ENETUNREACH|ECONNREFUSED|ETIMEDOUT|ENOTCACHED)\b/;

interface Tarball {
  readonly filename: string;
  readonly files: readonly { readonly path: string }[];
}

export class Installation {
  /** What is in the tarball. */
  readonly files: readonly string[];
  /** An empty folder to run commands in. */
  readonly folder: string;
  /** Another one, for their temporary files. */
  readonly temporary: string;
  readonly #root: string;
  readonly #running: Command[] = [];

  private constructor(root: string, files: readonly string[]) {
    this.#root = root;
    this.files = files;
    this.folder = join(root, 'elsewhere');
    this.temporary = join(root, 'temporary');
    for (const folder of [this.folder, this.temporary]) mkdirSync(folder);
  }

  /** Undefined if the registry, which has the dependencies, cannot be reached; under CI that is an error. */
  static async make(): Promise<Installation | undefined> {
    if (!existsSync(program)) throw new Error('dist/bin/hive.js is missing: run `npm run build` before these tests');
    const root = mkdtempSync(join(tmpdir(), 'hive-installed-'));
    try {
      // Without scripts: the build has been made.
      const pack = ['pack', '--json', '--ignore-scripts', '--pack-destination', root];
      const { stdout } = await run('npm', pack, { cwd: repository });
      const [{ filename, files }] = JSON.parse(stdout) as [Tarball];
      const quiet = ['--prefer-offline', '--fetch-retries=0', '--no-audit', '--no-fund'];
      await run('npm', ['install', '--global', '--prefix', join(root, 'prefix'), ...quiet, join(root, filename)]);
      return new Installation(
        root,
        files.map(({ path }) => path),
      );
    } catch (error) {
      rmSync(root, { recursive: true, force: true });
      const isOffline = offline.test(String((error as { stderr?: string }).stderr));
      if (isOffline && process.env.CI !== 'true') return undefined;
      throw error;
    }
  }

  get #package(): string {
    return join(this.#root, 'prefix/lib/node_modules/hive-push');
  }

  /** The installed package's files as they are now, its dependencies left out. */
  snapshot(): string[] {
    return readdirSync(this.#package, { recursive: true, withFileTypes: true })
      .filter((entry) => entry.isFile())
      .map((entry) => join(entry.parentPath, entry.name))
      .map((path) => ({ path: relative(this.#package, path), changed: statSync(path).mtimeMs }))
      .filter(({ path }) => !path.startsWith('node_modules'))
      .map(({ path, changed }) => `${path} ${changed}`)
      .sort();
  }

  /** Starts a command line in which `hive` is the installed one, and this process's Node runs it. */
  start(line: string): Command {
    const path = [join(this.#root, 'prefix/bin'), dirname(process.execPath), process.env.PATH].join(delimiter);
    const command = new Command(line, this.folder, { PATH: path, TMPDIR: this.temporary });
    this.#running.push(command);
    return command;
  }

  /** Runs a command line to its end. */
  async run(line: string): Promise<{ code: number | null; output: string }> {
    const command = this.start(line);
    return { code: await command.ended, output: command.output };
  }

  async remove(): Promise<void> {
    for (const command of this.#running) await command.interrupt();
    rmSync(this.#root, { recursive: true, force: true });
  }
}
