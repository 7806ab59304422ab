/** The socket library of the tests: what a node would take here, or what `HIVE_SOCKETS` forces. */
import { chooseSockets } from '../../src/web/sockets/choice.ts';

export const { library: sockets, title } = chooseSockets();
