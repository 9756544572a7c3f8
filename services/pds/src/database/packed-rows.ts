/**
 * Many byte strings in one row. SQLite reads a row in a fraction of a microsecond; making a Uint8Array of its own for
 * each takes ten times that, so that long reads fetch them glued together, and cut them into views.
 */

/** One glued row: all the bytes, and the length of each part in decimal, with commas between. */
export interface PackedRow {
  readonly bytes: Uint8Array | null
  readonly lengths: string | null
}

/**
 * The two columns of a {@link PackedRow} for a BLOB column, in the order of a subquery that has an ORDER BY and a LIMIT.
 * `group_concat` takes bytes as they are in a database in UTF-8, zeros included; the CAST gives them back as bytes.
 */
export const packed = (column: string, name = ''): string =>
  `CAST(group_concat(${column}, '') AS BLOB) AS ${name}bytes, group_concat(length(${column})) AS ${name}lengths`

/** The parts, as views of the row's bytes. */
export function unpack({ bytes, lengths }: PackedRow): Uint8Array[] {
  if (bytes === null || lengths === null) return []
  const parts: Uint8Array[] = []
  let at = 0
  for (const length of lengths.split(',')) parts.push(bytes.subarray(at, (at += Number(length))))
  return parts
}
