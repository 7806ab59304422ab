/** Another method in the place of one, until what is returned is disposed of. */
export function patched<Class extends object, Name extends keyof Class>(
  target: Class,
  name: Name,
  value: Class[Name],
): Disposable {
  const original = target[name];
  target[name] = value;
  return {
    [Symbol.dispose]() {
      target[name] = original;
    },
  };
}

/** Another getter in the place of one, likewise. */
export function patchedGetter<Class extends object, Name extends keyof Class>(
  target: Class,
  name: Name,
  get: (this: Class) => Class[Name],
): Disposable {
  const original = Object.getOwnPropertyDescriptor(target, name)!;
  Object.defineProperty(target, name, { configurable: true, get });
  return {
    [Symbol.dispose]() {
      Object.defineProperty(target, name, original);
    },
  };
}
