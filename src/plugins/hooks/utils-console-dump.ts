/**
 * `utils.console_dump`: logs the client's metadata after the prefix in `args`. It is for debugging. Personal data is
 * logged at `debug` only; at `info` the log has the event and the number of bytes.
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
