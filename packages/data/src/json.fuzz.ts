import assert from 'node:assert/strict'
import type { FuzzTarget } from '@imago/sim/fuzz'
import { cidOfRaw } from './cid.ts'
import { DataError } from './data-error.ts'
import { decode } from './decode.ts'
import { encode } from './encode.ts'
import { parse, stringify } from './json.ts'
import { toHex } from './multibase.ts'
import type { Value } from './value.ts'

const utf8 = new TextEncoder()
const text = new TextDecoder('utf-8', { ignoreBOM: true })
const link = cidOfRaw(Uint8Array.of(1)).toString()

/** What is read from JSON has one form in DRISL-CBOR, and comes back from either. */
export const target: FuzzTarget = {
  name: 'json',
  dictionary: ['"$link"', '"$bytes"', '"$type"', '"blob"', '"__proto__"', '\\ud800', '1e3', '-0', link],
  seeds: () =>
    [
      `{"$type":"com.example.note","text":"Gr\\u00fc\\u00dfe","n":[0,-1,9007199254740991],"x":null,"y":true}`,
      `{"image":{"$type":"blob","ref":{"$link":"${link}"},"mimeType":"image/png","size":1}}`,
      `[{"$bytes":"+/8"},{"$link":"${link}"},{"__proto__":{"a":1.0}},[[[]]]]`,
    ].map((json) => utf8.encode(json)),
  run(input) {
    let value: Value
    try {
      value = parse(text.decode(input))
    } catch (error) {
      assert.ok(error instanceof DataError, `not a DataError: ${error}`)
      return
    }
    const bytes = toHex(encode(value))
    assert.equal(toHex(encode(decode(encode(value)))), bytes, 'by way of DRISL-CBOR, it differs')
    assert.equal(toHex(encode(parse(stringify(value)))), bytes, 'by way of JSON, it differs')
  },
}
