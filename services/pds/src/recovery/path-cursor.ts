/** Rows that lie in the order of paths, taken as a walk in the same order comes by. */
export interface PathCursor<Row> {
  /** Rows before `path`, which the walk has passed by without wanting them; `undefined`: all that are left. */
  before(path: string | undefined): Iterable<Row>
  /** Rows at `path`. Call {@link before} first. */
  at(path: string): Row[]
}

export function createPathCursor<Row extends { readonly path: string }>(
  rows: Iterable<Row>,
): PathCursor<Row> {
  const iterator = rows[Symbol.iterator]()
  let next = iterator.next()
  function take(): Row {
    const row = next.value as Row
    next = iterator.next()
    return row
  }
  return {
    *before(path) {
      while (!next.done && (path === undefined || next.value.path < path)) yield take()
    },
    at(path) {
      const found: Row[] = []
      while (!next.done && next.value.path === path) found.push(take())
      return found
    },
  }
}
