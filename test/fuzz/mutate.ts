/** Ways to spoil what was valid. Those for texts know JSON and the packets of clients, those for bytes know nothing. */
import type { Random } from './random.ts';

type TextMutator = (text: string, random: Random, others: readonly string[]) => string;
type BytesMutator = (bytes: Buffer, random: Random) => Buffer;

/** What has confused parsers before, in place of a value. */
const values = [
  ...['null', 'true', '-1', '-0', '1e999', '1e400', '9007199254740993', '0.1e-400', `1${'0'.repeat(400)}`, '[]', '{}'],
  ...[
    '""',
    '"\\ud800"',
    '"\\u0000"',
    '"\u2028"',
    '"\ufffd"',
    '{"__proto__":{"x":1}}',
    '{"constructor":1,"toString":2}',
  ],
  ...['{"_placeholder":true,"num":0}', '{"_placeholder":true,"num":-1}', '{"_placeholder":true,"num":1e9}'],
  ...[
    '{"_binary":"!"}',
    '{"_binary":"AAAA","x":1}',
    '{"type":"publish"}',
    '{"a":1,"a":2}',
    '"on_connect"',
    '"connect"',
  ],
];
const nests = ['[', '{"a":', '[[{"b":[', '{"a":[', '"', '(', '/'];
const oddChars = [
  '\0',
  '\ud800',
  '\udfff',
  '\ufffd',
  '\u001e',
  '\u2028',
  '😀',
  '\r\n',
  ':',
  ',',
  '"',
  '\\',
  '%',
  '+',
  '/',
];

function place(text: string, random: Random): number {
  return random.int(text.length + 1);
}

const textMutators: readonly TextMutator[] = [
  (text, random) => text.slice(0, place(text, random)),
  (text, random) => text.slice(place(text, random)),
  (text, random) => {
    const at = place(text, random);
    return text.slice(0, at) + random.pick(oddChars) + text.slice(at);
  },
  (text, random) => {
    const at = place(text, random);
    return text.slice(0, at) + String.fromCharCode(random.int(0x10000)) + text.slice(at + 1);
  },
  // A part of it, often.
  (text, random) => {
    const at = place(text, random);
    const part = text.slice(at, at + 1 + random.int(12));
    return text.slice(0, at) + part.repeat(1 + random.int(random.chance(0.1) ? 2000 : 20)) + text.slice(at);
  },
  (text, random, others) => text.slice(0, place(text, random)) + random.pick(others).slice(random.int(8)),
  // A JSON value becomes another one.
  (text, random) => {
    const found = [...text.matchAll(/"(?:[^"\\]|\\.)*"|-?\d+(?:\.\d+)?|null|true|false|\[\]|\{\}/g)];
    if (found.length === 0) return text + random.pick(values);
    const { index, 0: old } = random.pick(found);
    return text.slice(0, index) + random.pick(values) + text.slice(index + old.length);
  },
  // A number becomes a huge or odd one.
  (text, random) => {
    const found = [...text.matchAll(/\d+/g)];
    if (found.length === 0) return text;
    const { index, 0: old } = random.pick(found);
    const odd = random.pick(['0', '00', '-1', '4294967296', '9007199254740993', '1e9', '99999999999999999999', '']);
    return text.slice(0, index) + odd + text.slice(index + old.length);
  },
  (text, random) => {
    const at = place(text, random);
    return (
      text.slice(0, at) + random.pick(nests).repeat(1 + random.int(random.chance(0.2) ? 20_000 : 50)) + text.slice(at)
    );
  },
];

const bytesMutators: readonly BytesMutator[] = [
  (bytes, random) => {
    const copy = Buffer.from(bytes);
    for (let flips = 1 + random.int(4); flips > 0 && copy.length > 0; flips -= 1) {
      const at = random.int(copy.length);
      copy[at] = copy[at]! ^ (1 << random.int(8));
    }
    return copy;
  },
  (bytes, random) => bytes.subarray(0, random.int(bytes.length + 1)),
  (bytes, random) => bytes.subarray(random.int(bytes.length + 1)),
  (bytes, random) => {
    const at = random.int(bytes.length + 1);
    return Buffer.concat([bytes.subarray(0, at), random.bytes(1 + random.int(8)), bytes.subarray(at)]);
  },
  (bytes, random) => {
    const at = random.int(bytes.length + 1);
    const part = bytes.subarray(at, at + 1 + random.int(16));
    const copies = Array.from({ length: 1 + random.int(random.chance(0.1) ? 1000 : 8) }, () => part);
    return Buffer.concat([bytes.subarray(0, at), ...copies, bytes.subarray(at)]);
  },
  // What may be a length tells a lie.
  (bytes, random) => {
    const copy = Buffer.from(bytes);
    if (copy.length < 4) return copy;
    const at = random.int(copy.length - 3);
    const lie = random.pick([0, 1, 0x7f, 0xff, 0x7fff, 0xffff, 0x7fffffff, 0x80000000, 0xffffffff]);
    if (random.chance(0.5)) copy.writeUInt32BE(lie, at);
    else copy.writeUInt16BE(lie & 0xffff, at);
    return copy;
  },
  (bytes, random) => {
    const at = random.int(bytes.length + 1);
    const invalid = random.pick(['ff', 'c080', 'eda080', 'f4908080', 'efbfbd', 'e282', '00', 'feff']);
    return Buffer.concat([bytes.subarray(0, at), Buffer.from(invalid, 'hex'), bytes.subarray(at)]);
  },
  (bytes, random) => {
    const at = random.int(bytes.length + 1);
    return Buffer.concat([bytes.subarray(at), bytes.subarray(0, at)]);
  },
];

/** Longest thing that mutation makes: growth upon growth would test the machine. */
const maxLength = 300_000;

/** Spoils a text in one to three ways. `others`: what else is valid, to be spliced in. */
export function mutateText(text: string, random: Random, others: readonly string[]): string {
  let mutant = text;
  for (let rounds = 1 + random.int(3); rounds > 0; rounds -= 1) {
    mutant = random.pick(textMutators)(mutant, random, others).slice(0, maxLength);
  }
  return mutant;
}

/** Spoils bytes in one to three ways. */
export function mutateBytes(bytes: Buffer, random: Random): Buffer {
  let mutant = bytes;
  for (let rounds = 1 + random.int(3); rounds > 0; rounds -= 1) {
    mutant = random.pick(bytesMutators)(mutant, random).subarray(0, maxLength);
  }
  return mutant;
}
