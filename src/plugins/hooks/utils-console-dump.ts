/** `utils.console_dump`: writes the client's metadata to the log, behind the prefix in `args`. For debugging. */
import { Type } from 'typebox';
import type { HookPlugin } from '../types.ts';

export const utilsConsoleDump: HookPlugin<string | null> = {
  args: Type.Union([Type.String(), Type.Null()]),
  create(prefix, { log }) {
    const dump = (metadata: string) => log.info(`${prefix ?? ''}${metadata}`);
    return (client, trigger) => {
      const metadata = client.metadata(trigger);
      return typeof metadata === 'string' ? dump(metadata) : metadata.then(dump);
    };
  },
};
