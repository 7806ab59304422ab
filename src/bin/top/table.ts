/** A heading and a cell of a row. */
export type Column<Row> = readonly [heading: string, cell: (row: Row) => string];

/**
 * Rows under a heading: columns of numbers, aligned to the right, and last a name of any length, which may be cut without
 * loss to the others.
 */
export function table<Row>(
  rows: readonly Row[],
  columns: readonly Column<Row>[],
  nameHeading: string,
  name: (row: Row) => string,
): string[] {
  const cells = [
    [...columns.map(([heading]) => heading), nameHeading],
    ...rows.map((row) => [...columns.map(([, cell]) => cell(row)), name(row)]),
  ];
  const widths = columns.map((_, at) => Math.max(6, ...cells.map((line) => line[at]!.length)));
  return cells.map((line) =>
    line.map((cell, at) => (at < widths.length ? cell.padStart(widths[at]!) : cell)).join('  '),
  );
}
