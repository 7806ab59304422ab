/** Names of the epochs of histories: a later one is the greater text. */

const digits = 9;

/**
 * @param before the epoch that the channel is known to have had; the clock may have been set back, or that of another node be ahead
 * @param creation of this node's boot
 */
export function epochAfter(before: string | undefined, creation: number): string {
  const last = before === undefined ? 0 : Number.parseInt(before.slice(0, digits), 36);
  const time = Math.max(Date.now(), Number.isSafeInteger(last) ? last + 1 : 0);
  return `${time.toString(36).padStart(digits, '0')}-${creation.toString(36)}`;
}
