/** deploy/compose: what an engine would make of the file, with this machine's programs in place of the images'. */
import { spawnSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parse } from 'yaml';
import { deployed } from './deploy.ts';

const repository = fileURLToPath(new URL('../..', import.meta.url));

interface RawService {
  readonly image: string;
  readonly build?: { readonly context: string; readonly target?: string };
  readonly command: readonly string[];
  readonly environment?: Readonly<Record<string, string | number>>;
  readonly ports?: readonly string[];
  readonly volumes?: readonly string[];
  readonly depends_on?: Readonly<Record<string, { readonly condition: string }>>;
  readonly healthcheck?: unknown;
  readonly stop_grace_period?: string;
}

export interface Service {
  readonly name: string;
  readonly target: string | undefined;
  readonly command: readonly string[];
  readonly environment: Readonly<Record<string, string>>;
  /** Those of this machine that are published → those inside. */
  readonly ports: ReadonlyMap<number, number>;
  readonly dependsOn: readonly string[];
  readonly isWatched: boolean;
  readonly stopSeconds: number;
}

/** The services by name. Variables, all of which must be set, have a value; paths inside of containers are those of this machine. */
export function services(): ReadonlyMap<string, Service> {
  const folder = deployed('compose');
  const filled = (text: string) => text.replaceAll(/\$\{(\w+):\?[^}]*\}/g, 'the $1 of this test');
  const file = parse(filled(readFileSync(resolve(folder, 'compose.yaml'), 'utf8')), { merge: true }) as {
    services: Record<string, RawService>;
  };
  const made = Object.entries(file.services).map(([name, service]): [string, Service] => {
    const mounts = (service.volumes ?? []).map((volume) => {
      const [from = '', to = ''] = volume.split(':');
      const source = resolve(folder, from);
      if (!existsSync(source)) throw new Error(`compose.yaml: ${name}: there is no ${from}`);
      return { source, to };
    });
    const outside = (text: string) => mounts.reduce((now, { source, to }) => now.replaceAll(to, source), text);
    if (service.build && resolve(folder, service.build.context) !== resolve(repository)) {
      throw new Error(`compose.yaml: ${name} is built from elsewhere than the repository`);
    }
    const entries = Object.entries(service.environment ?? {}).map(([key, value]) => [key, outside(String(value))]);
    const ports = (service.ports ?? []).map((port) => port.split(':').slice(-2).map(Number) as [number, number]);
    return [
      name,
      {
        name,
        target: service.build ? (service.build.target ?? '') : undefined,
        command: service.command.map(outside),
        environment: Object.fromEntries(entries) as Record<string, string>,
        ports: new Map(ports),
        dependsOn: Object.keys(service.depends_on ?? {}),
        isWatched: service.healthcheck !== undefined,
        stopSeconds: Number.parseInt(service.stop_grace_period ?? '10', 10),
      },
    ];
  });
  return new Map(made);
}

interface Step {
  readonly instruction: string;
  readonly options: Readonly<Record<string, string>>;
  readonly rest: string;
}

export interface Stage {
  readonly name?: string;
  readonly steps: readonly Step[];
}

/** The stages of the Dockerfile, as scripts/image.mjs reads them. */
export function dockerfileStages(): Stage[] {
  const script = fileURLToPath(new URL('../../scripts/image.mjs', import.meta.url));
  const { stdout, stderr } = spawnSync(process.execPath, [script, '--parse'], { encoding: 'utf8' });
  if (stderr !== '') throw new Error(stderr);
  return JSON.parse(stdout) as Stage[];
}

/** The environment that the image of a stage gives its process. */
export function imageEnvironment(stage: Stage): Record<string, string> {
  const pairs = stage.steps
    .filter(({ instruction }) => instruction === 'ENV')
    .flatMap(({ rest }) => [...rest.matchAll(/(\w+)=(\S+)/g)]);
  return Object.fromEntries(pairs.map(([, name, value]) => [name!, value!]));
}
