/** A form of a key that cannot be read. The message says what is wrong, never any part of the secret. */
export class KeyFormError extends Error {
  override readonly name = 'KeyFormError'
}
