import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { after, before, describe, test } from 'node:test';
import { type CertificateFiles, checkCertificates } from '../../../src/config/certificates.ts';
import { Authority, type Certificate } from '../../support/certificates.ts';
import { findProgram, missing } from '../../support/programs.ts';

const hourMs = 60 * 60 * 1000;

describe('a certificate and its key', { skip: missing('openssl') }, () => {
  let one: Certificate;
  let other: Certificate;

  let removeFiles: () => void;

  before(() => {
    const authority = new Authority({
      after: (end) => {
        removeFiles = end;
      },
    });
    one = authority.issue('IP:127.0.0.1');
    other = authority.issue('IP:127.0.0.1');
  });

  after(() => removeFiles());

  const found = (files: CertificateFiles, now?: number) =>
    checkCertificates(files, now).map(({ key, reason, warning }) => `${warning ? 'warning ' : ''}${key}: ${reason}`);

  test('that belong together are fine, with their authority, and in one file', () => {
    assert.deepEqual(found(one), []);
    const both = `${one.cert_file}.both`;
    writeFileSync(both, readFileSync(one.key_file, 'utf8') + readFileSync(one.cert_file, 'utf8'));
    assert.deepEqual(found({ cert_file: both, key_file: both }), []);
  });

  test('that do not belong together, or are swapped, are told', () => {
    const { cert_file, key_file } = one;
    assert.deepEqual(found({ cert_file, key_file: other.key_file }), [
      "key_file: it is not the key of cert_file's certificate",
    ]);
    assert.deepEqual(found({ cert_file: key_file, key_file: cert_file }), [
      'cert_file: it holds a private key, and no certificate',
      'key_file: it holds a certificate, and no private key',
    ]);
    assert.deepEqual(found({ ...one, ca_file: key_file }), ['ca_file: it holds a private key, and no certificate']);
  });

  test('that are damaged, or no files, are told', () => {
    const damaged = `${one.cert_file}.damaged`;
    const cut = (file: string) => readFileSync(file, 'utf8').replace(/(BEGIN [A-Z ]+-----\n).{20}/, '$1');
    writeFileSync(damaged, cut(one.cert_file) + cut(one.key_file));
    assert.deepEqual(found({ cert_file: damaged, key_file: damaged }), [
      'cert_file: its certificate is damaged',
      'key_file: its private key is damaged',
    ]);
    assert.deepEqual(found({ cert_file: '/dev', key_file: '/nowhere/key.pem' }), [
      'cert_file: it is a directory, not a file',
      'key_file: the file does not exist',
    ]);
  });

  test('an encrypted key needs its passphrase', () => {
    const { cert_file } = one;
    const key_file = `${one.key_file}.locked`;
    const how = ['pkcs8', '-topk8', '-in', one.key_file, '-out', key_file, '-passout', 'pass:open sesame'];
    execFileSync(findProgram('openssl')!, how, { stdio: 'ignore' });
    assert.deepEqual(found({ cert_file, key_file, passphrase: 'open sesame' }), []);
    assert.deepEqual(found({ cert_file, key_file, passphrase: 'sesame' }), [
      'passphrase: does not decrypt the private key',
    ]);
    assert.match(found({ cert_file, key_file }).join(), /^key_file: .* encrypted, and there is no passphrase$/);
  });

  test('one that has expired, soon will, or is not valid yet is warned of', () => {
    const { cert_file, key_file } = one;
    const later = (hours: number) => found({ cert_file, key_file }, Date.now() + hours * hourMs).join();
    assert.equal(later(12), '');
    assert.match(later(40), /^warning cert_file: its certificate expires on \d{4}-\d\d-\d\d$/);
    assert.match(later(60), /^warning cert_file: its certificate has expired on \d{4}-\d\d-\d\d$/);
    assert.match(later(-60), /^warning cert_file: its certificate is not valid before \d{4}-/);
  });
});
