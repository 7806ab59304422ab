/**
 * Entries of `hive.allowed_origins` that no browser's `Origin` header can ever equal: RFC 6454 §6.2 has scheme, host in lower
 * case, and the port unless it is the scheme's own.
 */

/** `*`, the `*.*` of the 2014 user guide, `*.domain`, `http://host:*`. */
const understoodWildcard = /^(?:\*|\*\.\*|\*\.[^*/:]+|[^*]+:\*)$/;

export interface OriginFault {
  readonly reason: string;
  /** What was probably meant. */
  readonly suggestion?: string;
}

/** What is wrong with an entry; undefined if something may match it. */
export function originFault(entry: string): OriginFault | undefined {
  if (entry.includes('*') && !understoodWildcard.test(entry)) {
    const domain = /\/\/\*\.([^*/:]+)/.exec(entry)?.[1];
    const reason = 'matches no origin: wildcards are `*`, `*.domain` and `http://host:*`';
    return { reason, ...(domain === undefined ? {} : { suggestion: `*.${domain}` }) };
  }
  if (entry === 'null' || entry === '*' || entry.startsWith('*.')) return undefined;
  const [, origin = '', port = ''] = /^(.*?)(:\*)?$/s.exec(entry) ?? [];
  const scheme = /^([a-z][a-z0-9+.-]*):\/\//i.exec(origin)?.[1];
  if (scheme === undefined) {
    // Clients 0.9 in Node call themselves by the host and port that they connect to.
    if (port !== '' || /:\d+$/.test(origin)) return undefined;
    const suggestion = `https://${origin.toLowerCase().replace(/\/.*/s, '')}`;
    return { reason: 'matches no origin: one starts with https:// or http://', suggestion };
  }
  const meant = canonical(origin);
  if (meant === undefined) return { reason: 'matches no origin: it is no URL' };
  if (meant === origin) return undefined;
  return { reason: `matches no origin: ${difference(origin)}`, suggestion: meant + port };
}

/** The origin of a URL as browsers write it. Schemes that the URL standard does not know keep theirs. */
function canonical(text: string): string | undefined {
  if (!URL.canParse(text)) return undefined;
  const { origin, protocol, host } = new URL(text);
  return origin === 'null' ? `${protocol}//${host}`.toLowerCase() : origin;
}

function difference(origin: string): string {
  const [, host = '', path = ''] = /^[^/]*\/\/([^/?#]*)(.*)$/s.exec(origin) ?? [];
  if (path === '/') return 'one does not end with a slash';
  if (path !== '') return 'one has no path';
  if (host.includes('@')) return 'one has no user name';
  if (origin !== origin.toLowerCase()) return 'one is in lower case';
  return /:\d+$/.test(host) ? "one leaves the scheme's own port out" : 'browsers write it differently';
}
