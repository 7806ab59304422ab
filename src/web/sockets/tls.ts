/** Reads what a server needs to speak TLS. */
import { readFileSync } from 'node:fs';
import { createSecureContext } from 'node:tls';
import { HiveError } from '../../observe/errors.ts';
import type { TlsFiles } from './types.ts';

export interface TlsKeys {
  readonly cert: Buffer;
  readonly key: Buffer;
  readonly passphrase: string | undefined;
}

/**
 * The certificate and its key, tried out: libraries do not say what is wrong with them, or that anything is.
 * @throws HiveError `file_error`
 */
export function readTls({ cert_file, key_file, passphrase }: TlsFiles): TlsKeys {
  try {
    const keys = { cert: readFileSync(cert_file), key: readFileSync(key_file), passphrase };
    createSecureContext(keys);
    return keys;
  } catch (error) {
    const reason = (error as Error).message;
    throw new HiveError('file_error', `TLS cannot be served with ${cert_file} and ${key_file}: ${reason}`, {
      cause: error,
    });
  }
}
