// Preloaded into a node: at SIGUSR2 it collects its garbage, so that what is left of its heap counts.
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';

setFlagsFromString('--expose-gc');
const collect = runInNewContext('gc');
process.on('SIGUSR2', () => {
  collect();
  process.stdout.write('garbage was collected\n');
});
