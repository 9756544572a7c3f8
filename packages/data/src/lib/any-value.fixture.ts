import type { Random } from '@imago/sim/random'
import { cidOfDrisl, cidOfRaw } from '../cid.ts'
import { type DataMap, setOwn, type Value } from '../value.ts'

const MAX_DEPTH = 4
const MAX_ITEMS = 6
const KEYS = ['$type', 'createdAt', 'text', 'cid', 'constructor', '__proto__']
/** Where an integer, or the length of a text, takes another byte; and the ends. */
const EDGES = [0, 23, 24, 255, 256, 65_535, 65_536, 2 ** 32 - 1, 2 ** 32, Number.MAX_SAFE_INTEGER]
/** Characters of one to four bytes, and those that decoders stumble over. */
const CHARACTERS = [
  'a',
  'Z',
  ' ',
  '\u0000',
  '\u007f',
  'ö',
  '߿',
  'ࠀ',
  '€',
  '\ufffd',
  '\ufeff',
  '\uffff',
  '\u{10000}',
  '😀',
]

/** Any value that the data model can hold, some levels deep. */
export function anyValue(random: Random, depth = 0): Value {
  switch (random.int(depth < MAX_DEPTH ? 9 : 7)) {
    case 0:
      return random.pick([null, true, false])
    case 1:
      return random.chance(0.5) ? random.pick(EDGES) : -1 - random.int(70_000)
    case 2:
      return -random.pick(EDGES.slice(1))
    case 3:
      return anyText(random)
    case 4:
      return random.bytes(random.int(40))
    case 5:
      return cidOfDrisl(random.bytes(2))
    case 6:
      return cidOfRaw(random.bytes(2))
    case 7:
      return Array.from({ length: random.int(MAX_ITEMS) }, () => anyValue(random, depth + 1))
    default:
      return anyMap(random, depth + 1)
  }
}

/** Any map of such values. */
export function anyMap(random: Random, depth = 1): DataMap {
  const map: DataMap = {}
  for (let entries = random.int(MAX_ITEMS + 1); entries > 0; entries--)
    setOwn(map, random.chance(0.5) ? random.pick(KEYS) : anyText(random), anyValue(random, depth))
  return map
}

function anyText(random: Random): string {
  const length = random.int(random.chance(0.1) ? 300 : 30)
  const ascii = random.chance(0.5)
  return Array.from({ length }, () => random.pick(ascii ? CHARACTERS.slice(0, 5) : CHARACTERS)).join('')
}
