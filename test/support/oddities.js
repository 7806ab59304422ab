// @ts-check
/** What JavaScript lets be thrown, and whoever catches it must not trip over. */

const trap = () => {
  throw new Error('a trap was sprung');
};

/** Every trap throws, also those that `instanceof` and `typeof x.then` spring. */
const traps = Object.fromEntries(Object.getOwnPropertyNames(Reflect).map((name) => [name, trap]));

/** @type {Record<string, () => unknown>} */
export const oddities = {
  undefined: () => undefined,
  null: () => null,
  zero: () => 0,
  symbol: () => Symbol('odd'),
  'no prototype': () => Object.create(null),
  proxy: () => new Proxy({}, traps),
  'proxy of an error': () => new Proxy(new Error('inside'), traps),
  'revoked proxy': () => {
    const { proxy, revoke } = Proxy.revocable({}, {});
    revoke();
    return proxy;
  },
  'texts that throw': () => ({ toString: trap, valueOf: trap, [Symbol.toPrimitive]: trap }),
  'a tag that throws': () => Object.defineProperty({}, Symbol.toStringTag, { get: trap }),
  'an error whose message throws': () => Object.defineProperty(new Error('hidden'), 'message', { get: trap }),
  'an error whose message is no text': () => Object.assign(new Error(), { message: Object.create(null) }),
};
