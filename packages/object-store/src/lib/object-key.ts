import { ObjectStoreError } from './object-store-error.ts'

const SEGMENT = '[A-Za-z0-9_~:%-][A-Za-z0-9._~:%-]{0,254}'
const KEY = new RegExp(`^${SEGMENT}(/${SEGMENT})*$`)
const PREFIX = new RegExp(`^(${SEGMENT}/)*(${SEGMENT})?$`)
/** S3 takes 1,024 bytes; keys are ASCII. */
const MAX_KEY_LENGTH = 900

const RULES = `segments of A-Z a-z 0-9 . _ ~ : % - that do not begin with a dot, joined by "/", at most ${MAX_KEY_LENGTH} characters in all`

/**
 * Whether a text can be a key: segments of at most 255 letters, digits and `. _ ~ : % -`, none of which begins with a
 * dot (so that `..` leads nowhere, and adapters have names of their own), joined by `/`, at most 900 characters in all.
 */
export function isKey(text: string): boolean {
  return text.length <= MAX_KEY_LENGTH && KEY.test(text)
}

/** @throws {ObjectStoreError} InvalidKey */
export function assertKey(key: string): void {
  if (!isKey(key))
    throw new ObjectStoreError(
      'InvalidKey',
      key,
      `${JSON.stringify(key)} cannot be the key of an object: ${RULES}`,
    )
}

/** @throws {ObjectStoreError} InvalidKey when no key can begin like this. */
export function assertKeyPrefix(prefix: string): void {
  if (prefix.length > MAX_KEY_LENGTH || !PREFIX.test(prefix))
    throw new ObjectStoreError('InvalidKey', prefix, `no key begins with ${JSON.stringify(prefix)}: ${RULES}`)
}
