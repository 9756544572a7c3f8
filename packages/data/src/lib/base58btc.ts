import { DataError } from '../data-error.ts'

const ALPHABET = '123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz'
/** Both directions take quadratic time; nothing that atproto writes in base58 comes near. */
const MAX_LENGTH = 1024

const valueOfCharacter = new Map([...ALPHABET].map((character, value) => [character, value]))

/** Digits of a number in another base, most significant first; leading zeros are left to the caller. */
function convert(digits: Iterable<number>, from: number, to: number): number[] {
  const reversed: number[] = []
  for (let carry of digits) {
    for (let i = 0; i < reversed.length; i++) {
      carry += reversed[i]! * from
      reversed[i] = carry % to
      carry = Math.floor(carry / to)
    }
    for (; carry > 0; carry = Math.floor(carry / to)) reversed.push(carry % to)
  }
  return reversed.reverse()
}

/**
 * Base58 in Bitcoin's alphabet, without a multibase prefix.
 * @throws {DataError} LimitExceeded above 1,024 bytes: the time it takes grows with the square.
 */
export function toBase58btc(bytes: Uint8Array): string {
  refuseLong(bytes.length, 'bytes')
  let zeros = 0
  while (zeros < bytes.length && bytes[zeros] === 0) zeros++
  const digits = convert(bytes, 256, 58)
  return '1'.repeat(zeros) + digits.map((digit) => ALPHABET[digit]).join('')
}

/**
 * The inverse of {@link toBase58btc}.
 * @throws {DataError} InvalidMultibase at a character outside the alphabet; LimitExceeded above 1,024 characters.
 */
export function fromBase58btc(text: string): Uint8Array {
  refuseLong(text.length, 'characters')
  let zeros = 0
  while (text[zeros] === '1') zeros++
  const digits = Array.from(text, (character, i) => {
    const value = valueOfCharacter.get(character)
    if (value === undefined)
      throw new DataError(
        'InvalidMultibase',
        `not base58btc: ${JSON.stringify(character)} at character ${i} is not in its alphabet`,
      )
    return value
  })
  return Uint8Array.from([...new Array<number>(zeros).fill(0), ...convert(digits, 58, 256)])
}

function refuseLong(length: number, unit: string): void {
  if (length > MAX_LENGTH)
    throw new DataError(
      'LimitExceeded',
      `base58btc of ${length} ${unit}: at most ${MAX_LENGTH} are converted`,
    )
}
