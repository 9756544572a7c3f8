import type { Cid } from '@imago/data'

/**
 * A value of the data model as `JSON.parse` gives it: links are `{ $link }`, bytes are `{ $bytes }` in base64.
 * @see https://atproto.com/specs/data-model
 */
export type JsonOf<T> = T extends Cid
  ? { $link: string }
  : T extends Uint8Array
    ? { $bytes: string }
    : T extends object
      ? { [K in keyof T]: JsonOf<T[K]> }
      : T
