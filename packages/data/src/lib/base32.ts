import { rfc4648 } from './rfc4648.ts'

/** Base32 of RFC 4648 in lower case, unpadded: what CIDs are written in. */
export const base32 = rfc4648('base32', 'abcdefghijklmnopqrstuvwxyz234567')
