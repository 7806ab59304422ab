/** What docs/events.md says of each channel: the fields of its records, with their types. */
import { readFileSync } from 'node:fs';

export function documentedEvents(): Map<string, Map<string, string>> {
  const page = readFileSync(new URL('../../docs/events.md', import.meta.url), 'utf8');
  const channels = new Map<string, Map<string, string>>();
  for (const section of page.split(/^### /m).slice(1)) {
    const name = /^`(hive:\w+)`/.exec(section)![1]!;
    const rows = section.matchAll(/^\| `(\w+)` +\| `(.*?)` +\| \S/gm);
    channels.set(name, new Map(Array.from(rows, ([, field, type]) => [field!, type!.replaceAll('\\|', '|')])));
  }
  return channels;
}
