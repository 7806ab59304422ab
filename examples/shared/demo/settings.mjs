/** What a demo has to know of its example's configuration: it is read from the files, so that a changed port is changed here too. */
import { readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';

export const readJson = (file) => JSON.parse(readFileSync(file, 'utf8'));

/** A configuration file with its included sections. */
export function readConfig(file) {
  const config = readJson(file);
  for (const [section, value] of Object.entries(config)) {
    if (typeof value === 'string') config[section] = readJson(join(dirname(file), value));
  }
  return config;
}

/** Host, port and origin of the server that shows the page. */
export function serverAt(address) {
  const url = new URL(address);
  return { host: url.hostname, port: Number(url.port), url: url.origin };
}

/** The address of one of the ports of a node on this machine. */
export function local(port) {
  return `http://127.0.0.1:${port}`;
}
