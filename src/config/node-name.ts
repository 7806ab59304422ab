/**
 * Names of nodes, `id@host`, as Erlang knows them: the id is made of letters, digits, `_` and `-`, the host is an IPv4
 * address or a host name.
 */
import { hostname } from 'node:os';

const id = '[A-Za-z0-9_-]+';
const host = '[A-Za-z0-9_](?:[A-Za-z0-9_.-]*[A-Za-z0-9_])?';

/** JSON Schema pattern of a node's own name: the host may be missing. */
export const nodeNamePattern = `^${id}(?:@${host})?$`;
/** JSON Schema pattern of another node: full name, and a port if EPMD shall not be asked. */
export const nodeAddressPattern = `^${id}@${host}(?::[0-9]{1,5})?$`;

const nodeAddress = new RegExp(`^(${id}@${host})(?::([0-9]{1,5}))?$`);

export interface NodeAddress {
  /** Full node name, `id@host`. */
  readonly name: string;
  readonly host: string;
  /** Port of its distribution listener; absent = ask the host's EPMD. */
  readonly port?: number;
}

/** Reads `id@host` or `id@host:port`; undefined if it is neither, or the port is not within 1..65535. */
export function parseNodeAddress(text: string): NodeAddress | undefined {
  const match = nodeAddress.exec(text);
  const name = match?.[1];
  if (name === undefined) return undefined;
  const parsed = { name, host: name.slice(name.indexOf('@') + 1) };
  const portText = match?.[2];
  if (portText === undefined) return parsed;
  const port = Number(portText);
  return port >= 1 && port <= 65_535 ? { ...parsed, port } : undefined;
}

/** The full name of a node: a bare id gets the machine's host name. Undefined if that does not make a node name. */
export function completeNodeName(name: string, machine: string = hostname()): string | undefined {
  const full = name.includes('@') ? name : `${name}@${machine}`;
  const address = parseNodeAddress(full);
  return address !== undefined && address.port === undefined ? full : undefined;
}
