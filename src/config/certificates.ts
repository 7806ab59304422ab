/** What is wrong with the certificates and keys that a configuration names, before a server tries to use them. */
import { createPrivateKey, type KeyObject, X509Certificate } from 'node:crypto';
import { NoFile, readRegularFile } from './read-file.ts';

/** As in the configuration, with absolute names. */
export interface CertificateFiles {
  readonly cert_file: string;
  readonly key_file: string;
  readonly ca_file?: string;
  readonly passphrase?: string;
}

export interface CertificateFinding {
  readonly key: keyof CertificateFiles;
  readonly code: 'file_missing' | 'file_error';
  readonly reason: string;
  /** It can be used all the same. */
  readonly warning: boolean;
}

const dayMs = 24 * 60 * 60 * 1000;
/** Those that are renewed by themselves are renewed earlier than that. */
const soonMs = 14 * dayMs;

const certificatePattern = /-----BEGIN CERTIFICATE-----.*?-----END CERTIFICATE-----/gs;
const keyPattern = /-----BEGIN (?:[A-Z]+ )*PRIVATE KEY-----/;

export function checkCertificates(files: CertificateFiles, now = Date.now()): CertificateFinding[] {
  const found: CertificateFinding[] = [];
  const refuse = (key: keyof CertificateFiles, reason: string, code: CertificateFinding['code'] = 'file_error') =>
    void found.push({ key, code, reason, warning: false });
  const text = (key: 'cert_file' | 'key_file' | 'ca_file'): string | undefined => {
    try {
      return readRegularFile(files[key]!).bytes.toString('latin1');
    } catch (error) {
      if (error instanceof NoFile) refuse(key, error.message);
      else if ((error as NodeJS.ErrnoException).code === 'ENOENT')
        refuse(key, 'the file does not exist', 'file_missing');
      else refuse(key, 'the file cannot be read');
      return undefined;
    }
  };
  const certificates = (key: 'cert_file' | 'ca_file', pem: string | undefined): X509Certificate[] => {
    if (pem === undefined) return [];
    const isKey = keyPattern.test(pem);
    const blocks = pem.match(certificatePattern) ?? [];
    if (blocks.length === 0)
      refuse(key, isKey ? 'it holds a private key, and no certificate' : 'it holds no certificate (PEM)');
    try {
      const parsed = blocks.map((block) => new X509Certificate(block));
      for (const reason of validity(parsed, now)) found.push({ key, code: 'file_error', reason, warning: true });
      return parsed;
    } catch {
      refuse(key, 'its certificate is damaged');
      return [];
    }
  };
  const [certificate] = certificates('cert_file', text('cert_file'));
  if (files.ca_file !== undefined) certificates('ca_file', text('ca_file'));
  const keyText = text('key_file');
  const key = keyText === undefined ? undefined : privateKey(keyText, files.passphrase, refuse);
  if (certificate && key && !certificate.checkPrivateKey(key)) {
    refuse('key_file', "it is not the key of cert_file's certificate");
  }
  return found;
}

function privateKey(
  pem: string,
  passphrase: string | undefined,
  refuse: (key: keyof CertificateFiles, reason: string) => void,
): KeyObject | undefined {
  if (!keyPattern.test(pem)) {
    const isCertificate = pem.search(certificatePattern) >= 0;
    refuse('key_file', isCertificate ? 'it holds a certificate, and no private key' : 'it holds no private key (PEM)');
    return undefined;
  }
  try {
    return createPrivateKey({ key: pem, ...(passphrase === undefined ? {} : { passphrase }) });
  } catch {
    const isEncrypted = /ENCRYPTED/.test(pem);
    if (!isEncrypted) refuse('key_file', 'its private key is damaged');
    else if (passphrase === undefined) refuse('key_file', 'its private key is encrypted, and there is no passphrase');
    else refuse('passphrase', 'does not decrypt the private key');
    return undefined;
  }
}

/** Of the first one, which is the server's own, and the others of its chain. */
function* validity(chain: readonly X509Certificate[], now: number): Iterable<string> {
  for (const [index, certificate] of chain.entries()) {
    const which = index === 0 ? 'its certificate' : `certificate ${index + 1} of its chain`;
    const [from, to] = [Date.parse(certificate.validFrom), Date.parse(certificate.validTo)];
    // Some live for days only.
    const soon = Math.min(soonMs, (to - from) / 3);
    const day = (time: number): string => new Date(time).toISOString().slice(0, 10);
    if (to <= now) yield `${which} has expired on ${day(to)}`;
    else if (from > now) yield `${which} is not valid before ${new Date(from).toISOString()}`;
    else if (to - now < soon) yield `${which} expires on ${day(to)}`;
  }
}
