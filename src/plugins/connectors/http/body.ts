/**
 * The body of an answer as text: what is compressed is decompressed (RFC 9110, section 8.4), what is in another charset than UTF-8
 * is decoded, and what is neither is refused by name. Nothing is ever replaced by something else on the way.
 */
import { isUtf8 } from 'node:buffer';
import { promisify } from 'node:util';
import { brotliDecompress, gunzip, inflate, inflateRaw } from 'node:zlib';

/** What is asked for, and understood. */
export const acceptedEncodings = 'gzip, deflate, br';

const mark = '\uFEFF';

/** @throws Error (rejection) for an encoding that is not understood, broken data, and more than `maxBytes` */
export async function decompressed(body: Buffer, encodings: string, maxBytes: number): Promise<Buffer> {
  let plain = body;
  // The last was applied last.
  for (const encoding of encodings.toLowerCase().split(',').reverse())
    plain = await undo(encoding.trim(), plain, maxBytes);
  return plain;
}

async function undo(encoding: string, body: Buffer, maxBytes: number): Promise<Buffer> {
  if (encoding === '' || encoding === 'identity') return body;
  const decompress = decompressor(encoding, body);
  if (!decompress) throw new Error(`the answer's content encoding ${JSON.stringify(encoding)} is not understood`);
  try {
    // A few bytes may become gigabytes: what comes out counts.
    return await decompress(body, { maxOutputLength: maxBytes });
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    if (code === 'ERR_BUFFER_TOO_LARGE')
      throw new Error(`the answer's body exceeds the size of ${maxBytes} bytes when it is decompressed`);
    throw new Error(`the answer's body is not ${encoding}: ${message}`, { cause: error });
  }
}

type Decompress = (body: Buffer, options: { maxOutputLength: number }) => Promise<Buffer>;

const unzip: Decompress = promisify(gunzip);
const unbrotli: Decompress = promisify(brotliDecompress);
const undeflate: Decompress = promisify(inflate);
const undeflateRaw: Decompress = promisify(inflateRaw);

function decompressor(encoding: string, body: Buffer): Decompress | undefined {
  switch (encoding) {
    case 'gzip':
    case 'x-gzip':
      return unzip;
    case 'br':
      return unbrotli;
    case 'deflate':
      return hasZlibHeader(body) ? undeflate : undeflateRaw;
    default:
      return undefined;
  }
}

/** Some servers send `deflate` without the format that belongs around it (RFC 1950). */
function hasZlibHeader(body: Buffer): boolean {
  return body.length >= 2 && (body[0]! & 0x0f) === 8 && body.readUInt16BE(0) % 31 === 0;
}

/**
 * @param contentType the header, if there is one
 * @throws Error for a charset that is not known, and bytes that do not belong to it
 */
export function textOfBody(body: Buffer, contentType: string | undefined): string {
  const charset = contentType === undefined ? undefined : charsetOf(contentType);
  if (charset === undefined) {
    if (!isUtf8(body)) throw new Error("the answer's body is not UTF-8, and no other charset is named");
    const text = body.toString();
    return text.startsWith(mark) ? text.slice(1) : text;
  }
  let decoder: InstanceType<typeof TextDecoder>;
  try {
    decoder = new TextDecoder(charset, { fatal: true });
  } catch {
    throw new Error(`the answer's charset ${JSON.stringify(charset)} is not understood`);
  }
  // Several versions of Node take it for Latin-1.
  if (decoder.encoding === 'windows-1252') return fromWindows1252(body);
  try {
    return decoder.decode(body);
  } catch {
    throw new Error(`the answer's body is not ${charset}`);
  }
}

/** The charset, if it is another one than UTF-8. */
function charsetOf(contentType: string): string | undefined {
  const found = /;\s*charset\s*=\s*"?([^\s";,]*)/i.exec(contentType)?.[1];
  return found === undefined || found === '' || /^(?:utf-?8|us-ascii)$/i.test(found) ? undefined : found;
}

/** What the bytes from 0x80 to 0x9f are; those that are nothing stay control characters (Encoding Standard, index windows-1252). */
const windows1252 = '€\x81‚ƒ„…†‡ˆ‰Š‹Œ\x8dŽ\x8f\x90‘’“”•–—˜™š›œ\x9džŸ';

function fromWindows1252(body: Buffer): string {
  let text = '';
  let from = 0;
  for (let at = 0; at < body.length; at += 1) {
    const byte = body[at]!;
    if (byte < 0x80 || byte > 0x9f) continue;
    text += body.toString('latin1', from, at) + windows1252[byte - 0x80]!;
    from = at + 1;
  }
  return text + body.toString('latin1', from);
}
