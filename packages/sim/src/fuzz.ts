import { toHex } from '@imago/data/multibase'
import { minimise } from './lib/minimise.ts'
import { createMutator } from './lib/mutator.ts'
import { createRandom } from './random.ts'

export { linkItems, splitItems, unlinkItems } from './lib/linked-items.ts'
export { minimise } from './lib/minimise.ts'
export { createMutator, type Mutator, type MutatorOptions } from './lib/mutator.ts'

/**
 * One decoder of outside bytes, put to the test by inputs nobody thought of. A module `x.fuzz.ts` beside the decoder
 * exports one or several; `npm run fuzz -- NAME` finds them.
 */
export interface FuzzTarget {
  /** Kebab-case, unlike any other target's: also the name of its folder in `vectors/fuzz`. */
  readonly name: string
  /** Strings and bytes that mean something to the decoder, for the mutator to put in. */
  readonly dictionary?: readonly (string | Uint8Array)[]
  /** Longest input to try, in bytes. Default: 4096, or twice the longest seed where that is more. */
  readonly maxBytes?: number
  /** Valid inputs to start from: the more features of the format they use between them, the better. */
  seeds(): Uint8Array[]
  /**
   * Decodes the input, and compares where there is something to compare with. Returns when the input was accepted or
   * refused as it should be; throws only on a bug. The input is a view that the next execution overwrites.
   */
  run(input: Uint8Array): void
}

/**
 * Whether `input` is among the one in `oneIn` that get a check too slow for all. The input alone decides, so that a
 * crasher stays one.
 */
export function isSampled(input: Uint8Array, oneIn: number): boolean {
  let hash = input.length
  const step = 1 + (input.length >> 6)
  for (let i = input.length - 1; i >= 0; i -= step) hash = Math.imul(hash ^ input[i]!, 0x01000193)
  return ((hash ^ (hash >>> 15)) >>> 0) % oneIn === 0
}

/** An input on which a target threw: a bug. */
export class FuzzFailure extends Error {
  override readonly name = 'FuzzFailure'
  /** The shortest input found on which the target still throws. */
  readonly input: Uint8Array

  constructor(target: FuzzTarget, input: Uint8Array, cause: unknown) {
    super(`${target.name} threw on ${toHex(input)}: ${cause instanceof Error ? cause.message : cause}`, {
      cause,
    })
    this.input = input
  }
}

/** Whatever `target` throws on `input`, or `undefined` when it takes it as it should. */
export function failureOf(target: FuzzTarget, input: Uint8Array): { readonly error: unknown } | undefined {
  try {
    target.run(input)
  } catch (error) {
    return { error }
  }
}

export function maxBytesOf(target: FuzzTarget, seeds: readonly Uint8Array[]): number {
  return target.maxBytes ?? Math.max(4096, ...seeds.map((seed) => 2 * seed.length))
}

export interface BriefRun {
  /** How many mutated inputs to try after the seeds. Default: 300. */
  readonly executions?: number
  /** The same seed tries the same inputs. Default: 1. */
  readonly seed?: number
}

/**
 * A short, reproducible run for a unit test: every seed as it is, then mutants of them. Looks at no coverage; the long
 * form is `npm run fuzz`.
 * @throws {FuzzFailure} with a minimised input when the target throws.
 */
export function fuzzBriefly(target: FuzzTarget, options: BriefRun = {}): void {
  const { executions = 300, seed = 1 } = options
  const seeds = target.seeds()
  for (const input of seeds) tryInput(target, input)
  const random = createRandom(seed)
  const mutator = createMutator({
    random,
    maxBytes: maxBytesOf(target, seeds),
    dictionary: target.dictionary,
  })
  for (let i = 0; i < executions; i++)
    tryInput(target, mutator.mutate(random.pick(seeds), random.pick(seeds)))
}

function tryInput(target: FuzzTarget, input: Uint8Array): void {
  const failure = failureOf(target, input)
  if (failure === undefined) return
  const smallest = minimise(input, (shorter) => failureOf(target, shorter) !== undefined)
  throw new FuzzFailure(target, smallest, failure.error)
}
