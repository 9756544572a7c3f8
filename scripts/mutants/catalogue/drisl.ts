import { type Edit, type Mutant, mutantsOf } from '../mutant.ts'

const drisl = (file: string, edits: readonly Edit[]) => mutantsOf('drisl', `packages/data/src/${file}`, edits)

/** The codec, and CIDs, which are its links. */
export const DRISL: readonly Mutant[] = [
  ...drisl('decode.ts', [
    ['integers need not be short', 'if (value < least) throw', 'if (value < 24) throw'],
    ['integers beyond 2⁵³', 'if (value > Number.MAX_SAFE_INTEGER) throw', 'if (value > 2 ** 54) throw'],
    ['−2⁵³ is safe', 'if (value < Number.MIN_SAFE_INTEGER) throw', 'if (value < -(2 ** 54)) throw'],
    ['bytes may follow the value', 'if (valueEnd !== bytes.length)', 'if (valueEnd > bytes.length)'],
    ['the second key may come anywhere', 'if (i > 0 && !isAfter(', 'if (i > 1 && !isAfter('],
    ['short keys need not come first', 'return length > previousLength', 'return true'],
    [
      'keys of one length in any order',
      'if (difference !== 0) return difference > 0',
      'if (difference !== 0) return true',
    ],
    [
      'text need not be UTF-8',
      "if (text === undefined) throw invalid(start, 'text",
      "if (text === null) throw invalid(start, 'text",
    ],
    ['tags above 42 are links as well', 'if (tag !== LINK_TAG)', 'if (tag < LINK_TAG)'],
    ['a link need not begin with zero', ' || bytes[start + 4] !== 0x00)', ')'],
    ['a link may say that it is longer', 'bytes[start + 3] !== 37', 'bytes[start + 3]! < 37'],
    ['one level too deep', 'if (depth > maxDepth)', 'if (depth > maxDepth + 1)'],
    ['one entry too few', 'if (length > maxEntries)', 'if (length >= maxEntries)'],
    ['bytes may be keys', 'if (initial >> 5 !== 3) throw', 'if (initial >> 5 < 2) throw'],
    [
      'undefined is null',
      'if (initial === NULL) return null',
      'if (initial === NULL || initial === 0xf7) return null',
    ],
    ['what is cut off is read all the same', '  need(length)\n', ''],
    [
      'a known key may be longer than allowed',
      'if (known === undefined || known.length > maxKeyBytes)',
      'if (known === undefined)',
    ],
    [
      'an expected key may be longer than allowed',
      'if (known !== undefined && known.length <= maxKeyBytes)',
      'if (known !== undefined)',
    ],
    [
      'the size of the input does not matter',
      'if (bytes.length - offset > maxBytes)',
      'if (offset > maxBytes)',
    ],
  ]),
  ...drisl('lib/known-texts.ts', [
    [
      'a text that begins and ends like a known one is that one',
      'for (let i = 0; i < inner.length; i++)',
      'for (let i = 0; i < inner.length - 1; i++)',
    ],
    ['a text may end after the input', 'if (length === 0 || length > end - at)', 'if (length === 0)'],
    ['a key that nobody noted is expected', 'id: ++lastId', 'id: lastId++'],
    ['a key is expected whatever came into its slot', 'next.id !== previous.nextId || ', ''],
    ['a key may end after the input', '|| length > end - at || end - at < WORD', '|| end - at < WORD'],
    [
      'a key that begins as expected is the one',
      'if (length > WORD && input.getInt32(at + length - WORD) !== next.last) return undefined',
      '',
    ],
  ]),
  ...drisl('lib/utf8-node.ts', [
    ['bad UTF-8 is repaired', "text.includes('\\ufffd') ? decodeStrictly(bytes, start, end) : text", 'text'],
    ['the end of a text need not be ASCII', 'let seen = words.getInt32(end - WORD)', 'let seen = 0'],
    ['any lead byte stands for Latin-1', 'byte >> 1 !== 0xc2 >> 1 || ', ''],
    ['C0 and C1 stand for Latin-1', 'byte >> 1 !== 0xc2 >> 1', 'byte >> 2 !== 0xc0 >> 2'],
    ['anything may follow a lead byte', ' || bytes[at]! >> 6 !== 0b10', ''],
    ['a character may end after its text', ' || ++at === end', ' || ++at < 0'],
  ]),
  ...drisl('lib/short-ascii.ts', [
    [
      'Latin letters pass for ASCII',
      'return seen > 0x7f ? undefined : text',
      'return seen > 0xff ? undefined : text',
    ],
  ]),
  ...drisl('encode.ts', [
    [
      'negative integers are one off',
      'writeHeader(NEGATIVE, -1 - value, at)',
      'writeHeader(NEGATIVE, -value, at)',
    ],
    ['floats are written', 'if (!isInteger(value)) throw', 'if (Number.isNaN(value)) throw'],
    [
      'half characters are written',
      'if (bytes !== length && !text.isWellFormed()) throw',
      'if (bytes < 0) throw',
    ],
    ['256 does not fit one byte', 'if (argument < 0x100) {', 'if (argument <= 0x100) {'],
    ['65536 does not fit two bytes', 'if (argument < 0x1_0000) {', 'if (argument <= 0x1_0000) {'],
    ['the header of text that is not ASCII', 'if (needed !== headerLength)', 'if (needed < headerLength)'],
    [
      'a map of 24 does not fit the first byte',
      'const MOST_IN_INITIAL_BYTE = 23',
      'const MOST_IN_INITIAL_BYTE = 24',
    ],
    ['one level too deep', 'if (depth >= maxDepth)', 'if (depth > maxDepth)'],
    ['a text just too long for the quick way', 'const SHORT_TEXT = 10', 'const SHORT_TEXT = 40'],
    ['a type name of before is written again', ' || known.text !== text', ''],
    ['the end of a long key is left out', 'if (size > 12) writeWords', 'if (size > 99) writeWords'],
    [
      'what is always as long is written past the end',
      'reserve(end, LONGEST_FIXED)\n      end = writeValue(array[i]',
      'end = writeValue(array[i]',
    ],
    ['keys and values of a map are written past the end', 'reserve(end, step.reach + LONGEST_FIXED)', ''],
  ]),
  ...drisl('lib/key-trail.ts', [
    [
      'the key that came last time comes again',
      'next !== undefined && next.text === text',
      'next !== undefined',
    ],
    ['a map may list its keys as it likes', '|| compareEncodedKeys(previous.key, key) >= 0', ''],
  ]),
  ...drisl('lib/misfit.ts', [['a path from the inside out', 'this.#path.toReversed()', 'this.#path']]),
  ...drisl('lib/encoded-text.ts', [
    [
      'keys in the order of JavaScript',
      'a.bytes.length - b.bytes.length || compareBytes(a.bytes, b.bytes)',
      'compareBytes(a.bytes.subarray(1), b.bytes.subarray(1))',
    ],
  ]),
  ...drisl('cid.ts', [
    ['CIDs that differ at the end are the same', '      this.w7 === other.w7 &&\n', ''],
    ['CIDs that differ in the middle are the same', '      this.w3 === other.w3 &&\n', ''],
    [
      'a record and a blob of the same bytes are the same',
      'this.w7 === other.w7 &&\n      this.codec === other.codec',
      'this.w7 === other.w7',
    ],
    [
      'any version of CID',
      'if (head === DRISL_HEAD) return',
      'if ((head & 0xffffff) === (DRISL_HEAD & 0xffffff)) return',
    ],
    ['any hash', 'if (head === RAW_HEAD) return', 'if (head >> 16 === RAW_HEAD >> 16) return'],
  ]),
]
