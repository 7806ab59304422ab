/**
 * `utils.console_dump`: writes the client's metadata to the log, behind the prefix in `args`. For debugging, and so what it
 * shows of people's data stands there at `debug` only; `info` tells that it was there, and how much.
 */
import { Type } from 'typebox';
import type { HookPlugin } from '../types.ts';

export const utilsConsoleDump: HookPlugin<string | null> = {
  args: Type.Union([Type.String(), Type.Null()]),
  create(args, services) {
    const prefix = args ?? '';
    return (client, trigger) => {
      if (services.log.excess('utils.console_dump', trigger.name, 'info')) return;
      const { log } = client;
      const dump = (metadata: string) => {
        log.info(`${prefix}${trigger.name}, ${Buffer.byteLength(metadata)} bytes of metadata`);
        log.debug(`${prefix}${metadata}`);
      };
      const metadata = client.metadata(trigger);
      return typeof metadata === 'string' ? dump(metadata) : metadata.then(dump);
    };
  },
};
