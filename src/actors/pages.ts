/**
 * Lists that are read in pages, in the order of names (by UTF-16 code units). A page begins behind the last name of the one before: what is
 * there from the first page to the last is listed once, whatever comes and goes meanwhile. Nothing is remembered between pages.
 */

/** Which part of a list is wanted. */
export interface PageRequest {
  /** The name behind which it begins; '' begins with the first. */
  readonly after: string;
  /** How many at most; at least 1. */
  readonly limit: number;
}

/** The first names behind one, in order. Takes the time of looking at each, and of sorting as many as are wanted. */
export function namesIn(names: Iterable<string>, { after, limit }: PageRequest): string[] {
  let best: string[] = [];
  let worst: string | undefined;
  for (const name of names) {
    if (name <= after || (worst !== undefined && name >= worst)) continue;
    best.push(name);
    if (best.length < 2 * limit) continue;
    best = best.sort().slice(0, limit);
    worst = best[limit - 1];
  }
  return best.sort().slice(0, limit);
}

export interface Page<Row> {
  readonly rows: readonly Row[];
  /** The name behind which the next one begins; null: there is none. */
  readonly cursor: string | null;
}

/**
 * What several nodes have of the same part of a list, as one page.
 * @param answers each has the first `limit + 1` rows of its node: if there are so many, that node may have more behind the last one
 * @param add two rows of the same name
 */
export function merged<Row>(
  answers: readonly (readonly Row[])[],
  limit: number,
  nameOf: (row: Row) => string,
  add: (one: Row, other: Row) => Row,
): Page<Row> {
  const byName = new Map<string, Row>();
  let end: string | undefined;
  for (const rows of answers) {
    for (const row of rows) {
      const known = byName.get(nameOf(row));
      byName.set(nameOf(row), known === undefined ? row : add(known, row));
    }
    if (rows.length <= limit) continue;
    const last = nameOf(rows.at(-1)!);
    if (end === undefined || last < end) end = last;
  }
  const names = [...byName.keys()].filter((name) => end === undefined || name <= end).sort();
  const shown = names.slice(0, limit);
  return { rows: shown.map((name) => byName.get(name)!), cursor: names.length > limit ? shown.at(-1)! : null };
}
