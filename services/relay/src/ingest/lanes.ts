/** Work on one key happens in the order in which it was given; work on different keys at the same time. */
export interface Lanes {
  /** @param task must not reject. */
  run(key: string, task: () => Promise<void>): void
  /** Keys that have work. */
  readonly size: number
}

export function createLanes(): Lanes {
  const tails = new Map<string, Promise<void>>()
  return {
    get size() {
      return tails.size
    },
    run(key, task) {
      const before = tails.get(key)
      const tail = (before === undefined ? task() : before.then(task)).then(() => {
        if (tails.get(key) === tail) tails.delete(key)
      })
      tails.set(key, tail)
    },
  }
}
