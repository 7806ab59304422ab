// Compiles src to dist, and copies what browsers take as it is: the monitor's page, and the Socket.IO client of the examples, so
// that they run where only the package is installed. What was there before stays until the new build is complete.
import { spawnSync } from 'node:child_process';
import { chmodSync, cpSync, readdirSync, renameSync, rmSync } from 'node:fs';
import { basename, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('..', import.meta.url));
const fresh = join(root, `dist.${process.pid}`);
const compiler = join(root, 'node_modules/typescript/bin/tsc');
const tsc = spawnSync(process.execPath, [compiler, '-p', 'tsconfig.build.json', '--outDir', fresh], {
  cwd: root,
  stdio: 'inherit',
});
if (tsc.status === 0) {
  for (const folder of ['sessions/durable', 'plugins/state-managers/redis', 'plugins/history-stores/redis'])
    for (const script of readdirSync(join(root, 'src', folder)).filter((name) => name.endsWith('.lua')))
      cpSync(join(root, 'src', folder, script), join(fresh, folder, script));
  cpSync(join(root, 'src/web/dashboard'), join(fresh, 'web/dashboard'), { recursive: true });
  const client = (file) =>
    cpSync(join(root, 'node_modules/socket.io-client', file), join(fresh, 'socket.io-client', basename(file)));
  client('dist/socket.io.min.js');
  client('LICENSE');
  chmodSync(join(fresh, 'bin/hive.js'), 0o755);
  rmSync(join(root, 'dist'), { recursive: true, force: true });
  renameSync(fresh, join(root, 'dist'));
}
rmSync(fresh, { recursive: true, force: true });
process.exit(tsc.status ?? 1);
