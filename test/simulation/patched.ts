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
