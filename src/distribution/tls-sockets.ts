/**
 * The byte streams between nodes over TLS, as Erlang's `-proto_dist inet_tls` speaks it. It is mutual: both sides show a
 * certificate of the cluster's authority, and the one that was dialled must be named in its certificate (DNS name or IP
 * address among the subject's alternative names), or an authority that is used for other things too would let anybody in.
 */
import { readFileSync } from 'node:fs';
import { isIP } from 'node:net';
import {
  createSecureContext,
  createServer,
  type SecureContext,
  type SecureContextOptions,
  type TLSSocket,
  connect as tlsConnect,
} from 'node:tls';
import { lookup } from '../kernel/lookups.ts';
import { HiveError } from '../observe/errors.ts';
import type { Log } from '../observe/logger.ts';
import { sourceOf } from '../observe/source.ts';
import { setupTimeoutMs } from './negotiate.ts';
import type { Sockets } from './sockets.ts';

/** PEM files. */
export interface TlsFiles {
  readonly cert_file: string;
  readonly key_file: string;
  readonly ca_file: string;
}

/** @throws HiveError `file_error` if the files cannot be read, are no PEM, or do not belong together */
export function tlsSockets(files: TlsFiles, log: Log): Sockets {
  const { material, secureContext } = load(files);
  return {
    handshakeHeader: 4,

    connect(host, port, timeoutMs) {
      return new Promise((resolve, reject) => {
        const socket = tlsConnect({
          host,
          port,
          lookup,
          secureContext,
          ...(isIP(host) ? {} : { servername: host }),
        });
        const timer = setTimeout(() => {
          socket.destroy();
          reject(new Error(`${host}:${port} did not answer within ${timeoutMs} ms`));
        }, timeoutMs);
        // The listener stays: no error may hit a socket that nobody listens to yet.
        socket.once('error', (error) => {
          clearTimeout(timer);
          reject(error);
        });
        socket.once('secureConnect', () => {
          clearTimeout(timer);
          settle(socket);
          resolve(socket);
        });
      });
    },

    listen(accept) {
      const server = createServer({
        ...material,
        requestCert: true,
        // Refused below, where it is still known who it was.
        rejectUnauthorized: false,
        handshakeTimeout: setupTimeoutMs,
      });
      server.on('secureConnection', (socket) => {
        if (socket.authorized) {
          settle(socket);
          return accept(socket);
        }
        const address = socket.remoteAddress ?? 'an unknown address';
        socket.destroy();
        if (log.excess('refused a connection', sourceOf(address))) return;
        const why = String(socket.authorizationError);
        log.warning(`refused a connection from ${address}: its certificate is not accepted (${why})`);
      });
      server.on('tlsClientError', (error, socket) => {
        const address = socket.remoteAddress ?? 'an unknown address';
        socket.destroy();
        if (log.excess('a connection failed before it was secure', sourceOf(address), 'debug')) return;
        log.debug(`a connection failed before it was secure: ${error.message}`);
      });
      return server;
    },
  };
}

function settle(socket: TLSSocket): void {
  socket.setNoDelay(true);
  socket.setKeepAlive(true);
}

function load(files: TlsFiles): { material: SecureContextOptions; secureContext: SecureContext } {
  const { cert_file, key_file, ca_file } = files;
  try {
    const material = {
      cert: readFileSync(cert_file),
      key: readFileSync(key_file),
      ca: readFileSync(ca_file),
      minVersion: 'TLSv1.2',
    } as const;
    return { material, secureContext: createSecureContext(material) };
  } catch (error) {
    const reason = (error as Error).message;
    const text = `Nodes cannot speak TLS with ${cert_file}, ${key_file} and ${ca_file}: ${reason}`;
    throw new HiveError('file_error', text, { cause: error });
  }
}
