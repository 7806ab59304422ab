/**
 * Socket.IO protocol v4, which clients 1.x and 2.x speak over Engine.IO v3. It differs from v5 in that the connect packet
 * says nothing, errors are any value, and binary frames begin with a type byte.
 */
import type { HiveError } from '../observe/errors.ts';
import { SocketV5Codec } from './socketio-v5.ts';

const messageByte = Buffer.of(4);

/** Encodes for one namespace of Socket.IO v4 over Engine.IO v3. */
export class SocketV4Codec extends SocketV5Codec {
  constructor(namespace: string) {
    super(namespace, `4${namespace}`);
  }

  override connect(): string {
    return `40${this.prefix}`;
  }

  override refusal(error: HiveError): string {
    return `44${this.prefix}${JSON.stringify(error)}`;
  }

  protected override frame(attachment: Buffer): Buffer {
    return Buffer.concat([messageByte, attachment]);
  }
}
