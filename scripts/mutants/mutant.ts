/**
 * One deliberate bug. Found by text, so that it survives changes around it: `find` has to stand in `file` exactly once.
 */
export interface Mutant {
  /** Area and number of what is broken, such as `check-9` or `mst`. */
  readonly area: string
  /** Path below the root. */
  readonly file: string
  /** What would go wrong with this bug in it. */
  readonly why: string
  readonly find: string
  readonly replace: string
}

/** A bug as short as it can be written: the reason, what stands there, and what the bug makes of it. */
export type Edit = readonly [why: string, find: string, replace: string]

export const mutantsOf = (area: string, file: string, edits: readonly Edit[]): Mutant[] =>
  edits.map(([why, find, replace]) => ({ area, file, why, find, replace }))

/** Says where a mutant is in lists and messages. */
export const titleOf = ({ area, file, why }: Mutant): string =>
  `${area} (${file.replace('packages/', '')}): ${why}`

/**
 * The source with the bug in it.
 * @throws {Error} when the text is not there exactly once, or when the bug changes nothing.
 */
export function plant(mutant: Mutant, source: string): string {
  const { find, replace, file } = mutant
  const times = source.split(find).length - 1
  if (times !== 1)
    throw new Error(
      `mutant ${titleOf(mutant)}: its text stands in ${file} ${times} times, and has to stand there once:\n${find}`,
    )
  if (find === replace) throw new Error(`mutant ${titleOf(mutant)}: it changes nothing`)
  return source.replace(find, () => replace)
}
