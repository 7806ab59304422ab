/** Keys and values of a reply that has them in turn. */
export function pairsOf(flat: unknown): [string, string][] {
  const pairs: [string, string][] = [];
  if (!Array.isArray(flat)) return Object.entries(Object(flat)) as [string, string][];
  for (let at = 0; at + 1 < flat.length; at += 2) pairs.push([String(flat[at]), String(flat[at + 1])]);
  return pairs;
}
