/** Shorter parts of a string are copies (`SlicedString::kMinLength` of V8). */
const sharedLength = 13;

/** A copy of what may be part of a longer string, which it would keep in memory, all of it. */
export function ownText(text: string): string {
  return text.length < sharedLength ? text : Buffer.from(text).toString();
}
