/** Lets so many run at the same time; the others wait, first come first served. */
export interface Slots {
  run<T>(work: () => Promise<T>): Promise<T>
}

/** @param count at least 1. */
export function createSlots(count: number): Slots {
  let free = count
  const waiting: (() => void)[] = []
  return {
    async run(work) {
      if (free > 0) free--
      else await new Promise<void>((resolve) => waiting.push(resolve))
      try {
        return await work()
      } finally {
        const next = waiting.shift()
        // The slot is handed on rather than freed, or somebody else could come in between.
        if (next) next()
        else free++
      }
    },
  }
}
