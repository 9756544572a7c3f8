/** Whether the operation has done its work when it fails. */
export type When = 'before' | 'after'

/** Fails the next call of one operation. */
export function createFaults() {
  let next: { operation: string; when: When } | undefined
  let fired = 0
  return {
    get fired() {
      return fired
    },
    breakNext(operation: string, when: When) {
      next = { operation, when }
    },
    /** The operation, or its failure. */
    async pass<T>(operation: string, work: () => Promise<T>): Promise<T> {
      const when = next?.operation === operation ? next.when : undefined
      if (when === undefined) return work()
      next = undefined
      fired++
      if (when === 'after') await work()
      throw new Error(`injected: ${operation} failed ${when} its work`)
    },
  }
}
