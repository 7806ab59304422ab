/** The messages of the measurements: 100 bytes of JSON each, with numbers of fixed width that are patched in place. */
import { clientFrame, opcodes, payloadStart, readDigits, writeDigits } from './frames.mjs';

/** Length of every event text, `42[…]`, bytes. */
export const messageBytes = 100;
const digits = 7;

/** Fills up an event to the common length. */
function padded(build) {
  const text = build('');
  return build('x'.repeat(messageBytes - text.length));
}

/** What a client sends: `42["echo",{"n":"0000000","text":"xxx…"}]`. */
export class NumberedEvent {
  #text;
  #numberAt;

  constructor(name) {
    const text = padded((padding) => `42${JSON.stringify([name, { n: '0'.repeat(digits), text: padding }])}`);
    this.frame = clientFrame(opcodes.text, text);
    this.#text = this.frame.subarray(payloadStart(this.frame));
    this.#numberAt = text.indexOf('"n":"') + 5;
  }

  number(n) {
    writeDigits(this.#text, this.#numberAt, digits, n);
  }

  /** Whether these bytes are this event. */
  matches(bytes, start, end) {
    return this.#text.compare(bytes, start, end) === 0;
  }
}

const publisherDigits = 2;
const newsArgs = (padding) => [{ p: '0'.repeat(publisherDigits), n: '0'.repeat(digits), text: padding }];
const newsText = padded((padding) => `42${JSON.stringify(['news', ...newsArgs(padding)])}`);
const padding = newsText.match(/"text":"(x+)"/)[1];
const publisherAt = newsText.indexOf('"p":"') + 5;
const newsNumberAt = newsText.indexOf('"n":"') + 5;

/** What publishers send, before it is numbered. */
export const newsEvent = { name: 'news', args: newsArgs(padding) };

/** Puts a publisher and a number into an encoded request that contains the news. */
export function numberedRequest(request, publisher) {
  const publisherStart = request.indexOf('"p":"') + 5;
  const numberStart = request.indexOf('"n":"') + 5;
  writeDigits(request, publisherStart, publisherDigits, publisher);
  return (n) => writeDigits(request, numberStart, digits, n);
}

/** Reads publisher and number of the news that arrived. */
export const readNews = {
  isNews: (start, end) => end - start === messageBytes,
  publisher: (bytes, start) => readDigits(bytes, start + publisherAt, publisherDigits),
  number: (bytes, start) => readDigits(bytes, start + newsNumberAt, digits),
};
