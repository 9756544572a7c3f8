import { DataError } from '../data-error.ts'
import { showPath } from './path.ts'

/**
 * What the data model cannot hold, on its way up: each level that it passes adds its key or index. Keeping the path while
 * all is well would cost every value something; this costs only those that are refused.
 */
export class Misfit {
  readonly #path: (string | number)[] = []
  readonly #code: 'InvalidValue' | 'LimitExceeded'
  readonly #what: string

  constructor(code: 'InvalidValue' | 'LimitExceeded', what: string) {
    this.#code = code
    this.#what = what
  }

  /** Where it was found from one level further up. */
  under(step: string | number): this {
    this.#path.push(step)
    return this
  }

  toError(): DataError {
    const where = showPath(this.#path.toReversed(), this.#path.length)
    return this.#code === 'InvalidValue'
      ? new DataError('InvalidValue', `no value of the data model: at ${where}: ${this.#what}`)
      : new DataError('LimitExceeded', `${this.#what}, at ${where}`)
  }
}
