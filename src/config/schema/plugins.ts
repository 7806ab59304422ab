/** Section `plugins`: modules with the user's own hooks, actions, connectors and state managers. */
import { Type } from 'typebox';

export const pluginsSchema = Type.Array(Type.String({ minLength: 1 }), {
  uniqueItems: true,
  description:
    'Modules with plugins: package names, or files (starting with `./`, `../` or `/`) relative to the directory of the main file.',
});
