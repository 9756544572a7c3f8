/** A repository that is not taken in: nothing of it was. The message says what is wrong with it, and what helps. */
export class InvalidImportError extends Error {
  constructor(message: string, options?: ErrorOptions) {
    super(message, options)
    this.name = 'InvalidImportError'
  }
}
