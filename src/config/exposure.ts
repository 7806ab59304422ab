/** What a configuration opens to others: addresses, keys and origins. */
import { isElsewhere, isLoopback } from './hosts.ts';
import { originFault } from './origin-forms.ts';
import type { Report } from './report.ts';
import type { Sections } from './types.ts';

interface Reports {
  readonly refuse: Report;
  readonly warn: Report;
  readonly note: Report;
}

export function checkExposure(sections: Sections, reports: Reports): void {
  const { hive, monitor } = sections;
  const { warn } = reports;
  checkServer('api', 'the API', sections, reports);
  checkServer('monitor', 'the monitor', sections, reports);
  const addresses: ['hive' | 'monitor', string, string | undefined][] = [
    ['hive', '/host', hive.host],
    ['monitor', '/health_host', monitor.health_host],
  ];
  for (const [section, pointer, host] of addresses) checkHost(section, pointer, host, warn);
  checkOrigins(hive.allowed_origins, warn);
}

/** Who has the key can read and do everything there. */
const minKeyLength = 16;
/** The keys of the default configuration and of the examples. */
const publishedKey = /^(?:[a-z]+-)+(?:api|monitor)-key$/;
/** 192 bits. */
const newKey = `node -p "require('node:crypto').randomBytes(24).toString('base64url')"`;

function checkServer(section: 'api' | 'monitor', what: string, sections: Sections, reports: Reports): void {
  const { refuse, warn, note } = reports;
  const { host, hash, tls } = sections[section];
  checkHost(section, '/host', host, warn);
  if (isLoopback(host)) return;
  const weakness = publishedKey.test(hash)
    ? 'is published with Hive'
    : hash.length < minKeyLength && `has fewer than ${minKeyLength} characters`;
  if (weakness) {
    const report = sections.hive.mode === 'production' ? refuse : note;
    report(section, '/hash', `${weakness}, and ${what} listens beyond this machine; make one: ${newKey}`, hash);
  }
  if (tls) return;
  // In a private network that may be meant.
  note(section, '/host', `${what} listens beyond this machine without tls: its key can be read on the way`, host);
}

/** A warning only: a configuration may be checked on another machine than the one that it is for. */
function checkHost(section: 'hive' | 'api' | 'monitor', pointer: string, host: string | undefined, warn: Report): void {
  if (host !== undefined && isElsewhere(host)) warn(section, pointer, 'is no address of this machine', host);
}

function checkOrigins(origins: readonly (string | null)[], warn: Report): void {
  for (const [index, origin] of origins.entries()) {
    if (origin === null) continue;
    const pointer = `/allowed_origins/${index}`;
    const fault = originFault(origin);
    if (fault) warn('hive', pointer, fault.reason, origin, fault.suggestion);
    else if (origin === '*' || origin === '*.*') {
      const reason =
        "any page may connect with its visitor's cookies, and act for the visitor where back ends trust these; list the origins of your pages";
      warn('hive', pointer, reason, origin);
    }
  }
}
