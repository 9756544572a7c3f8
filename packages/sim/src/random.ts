/** A reproducible stream of randomness: the same seed gives the same numbers on every machine. */
export interface Random {
  /** A whole number, 0 ≤ n < `below`. */
  int(below: number): number
  bytes(length: number): Uint8Array
  pick<T>(choices: readonly T[]): T
  shuffle<T>(items: readonly T[]): T[]
  /** True with probability `p`. */
  chance(p: number): boolean
}

/** Mulberry32: small, fast and good enough for test data. */
export function createRandom(seed: number): Random {
  let state = seed >>> 0
  const next = () => {
    state = (state + 0x6d2b79f5) >>> 0
    let mixed = Math.imul(state ^ (state >>> 15), state | 1)
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61)
    return (mixed ^ (mixed >>> 14)) >>> 0
  }
  const random: Random = {
    int: (below) => Math.floor((next() / 2 ** 32) * below),
    bytes: (length) => {
      const bytes = new Uint8Array(length)
      for (let i = 0; i < length; i++) bytes[i] = next()
      return bytes
    },
    pick: (choices) => choices[random.int(choices.length)]!,
    shuffle: (items) => {
      const result = [...items]
      for (let i = result.length - 1; i > 0; i--) {
        const j = random.int(i + 1)
        ;[result[i], result[j]] = [result[j]!, result[i]!]
      }
      return result
    },
    chance: (p) => next() / 2 ** 32 < p,
  }
  return random
}
