/** Which socket library this process uses. */
import uws from 'uWebSockets.js';
import type { SocketLibrary } from './types.ts';
import { uwsLibrary } from './uws.ts';

export const sockets: SocketLibrary = uwsLibrary(uws);
