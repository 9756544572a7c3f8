import type { Row } from './row.ts'

/** What belongs together, measured in one go. One file in bench/groups/ each, which exports it as `group`. */
export interface Group {
  /** One line for `--list`. */
  readonly about: string
  /**
   * Measures, and gives rows as they are there. Checks the results of the work before it times it, and throws where they
   * are wrong.
   */
  rows(context: GroupContext): AsyncIterable<Row>
}

export interface GroupContext {
  /** A look while working, not a measurement: shorter runs, fewer of them. */
  readonly quick: boolean
  /** Tells a waiting person what is being done. */
  progress(text: string): void
}
