/** Certificates for one test, made by openssl in a directory that ends with it. */
import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { findProgram } from './programs.ts';

export interface Certificate {
  readonly cert_file: string;
  readonly key_file: string;
  readonly ca_file: string;
}

export class Authority {
  readonly #directory: string;
  readonly #certificate: string;
  readonly #key: string;
  #issued = 0;

  constructor(t: { after(end: () => void): void }) {
    this.#directory = mkdtempSync(join(tmpdir(), 'hive-certificates-'));
    t.after(() => rmSync(this.#directory, { recursive: true, force: true }));
    this.#certificate = join(this.#directory, 'ca.pem');
    this.#key = join(this.#directory, 'ca.key');
    openssl(
      ...['req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes', '-days', '2'],
      ...['-subj', '/CN=authority', '-keyout', this.#key, '-out', this.#certificate],
    );
  }

  /** For those who are to trust it. */
  get file(): string {
    return this.#certificate;
  }

  /** @param name as in `IP:127.0.0.1` or `DNS:node.example` */
  issue(name: string): Certificate {
    this.#issued += 1;
    const path = (kind: string) => join(this.#directory, `${this.#issued}.${kind}`);
    openssl(
      ...['req', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes', '-subj', '/CN=node'],
      ...['-keyout', path('key'), '-out', path('csr')],
    );
    writeFileSync(path('ext'), `subjectAltName=${name}\n`);
    openssl(
      ...['x509', '-req', '-in', path('csr'), '-CA', this.#certificate, '-CAkey', this.#key, '-CAcreateserial'],
      ...['-days', '2', '-extfile', path('ext'), '-out', path('pem')],
    );
    return { cert_file: path('pem'), key_file: path('key'), ca_file: this.#certificate };
  }
}

function openssl(...args: string[]): void {
  execFileSync(findProgram('openssl')!, args, { stdio: ['ignore', 'ignore', 'pipe'] });
}
