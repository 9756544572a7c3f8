import { type Edit, type Mutant, mutantsOf } from '../mutant.ts'

const car = (file: string, edits: readonly Edit[]) => mutantsOf('car', `packages/data/src/${file}`, edits)

export const CAR: readonly Mutant[] = [
  ...car('lib/car-format.ts', [
    [
      'nobody compares hashes',
      'if (!hasSha256(bytes.subarray(start + CID_BYTES, end), bytes, start + DIGEST_OFFSET))',
      'if (bytes.length < end)',
    ],
    ['lengths need not be short', 'if (byte === 0 && i > 0) throw', 'if (byte === 0 && i > 3) throw'],
    ['blocks twice as long as allowed', 'if (value > max) throw', 'if (value > 2 * max) throw'],
    ['a block at the limit is over it', 'if (value > max) throw', 'if (value >= max) throw'],
    ['a frame may be shorter than a CID', 'if (end - start < CID_BYTES)', 'if (end - start < 0)'],
    ['any version of CAR', " || header['version'] !== 1)", ')'],
    ['a header may hold more', 'Object.keys(header).length !== 2', 'Object.keys(header).length < 2'],
    ['roots need not be links', '    !roots.every((root) => root instanceof Cid) ||\n', ''],
    ['one block too many', 'if (count > limits.maxBlocks)', 'if (count > limits.maxBlocks + 1)'],
    [
      'a file of the allowed size is too long',
      'if (count > limits.maxBytes)',
      'if (count >= limits.maxBytes)',
    ],
    [
      'a header need only begin like the usual one',
      'for (let i = 0; i < USUAL_END.length; i++) if (',
      'for (let i = 0; i < 0; i++) if (',
    ],
    [
      'a header need only end like the usual one',
      'for (let i = 0; i < USUAL_START.length; i++) if (',
      'for (let i = 0; i < 1; i++) if (',
    ],
    ['lengths of 16384 take two bytes', 'length < 0x4000 ? 2', 'length <= 0x4000 ? 2'],
  ]),
  ...car('lib/sha256-node.ts', [
    [
      'the last byte of a hash is not compared',
      'for (let i = 0; i < DIGEST_BYTES; i++) if (',
      'for (let i = 0; i < DIGEST_BYTES - 1; i++) if (',
    ],
    [
      'only the first byte of a hash is compared',
      'for (let i = 0; i < DIGEST_BYTES; i++) if (',
      'for (let i = 0; i < 1; i++) if (',
    ],
  ]),
  ...car('read-car.ts', [
    ['the last block may be cut off', 'if (length < 0 || end > file.length)', 'if (length < 0)'],
    ['the size of the file does not matter', '  refuseByteCount(bytes.length, bounds)\n', ''],
    ['the number of blocks does not matter', '    refuseBlockCount(++count, bounds)\n', ''],
    [
      'the limit of a block leaves no room for its CID',
      'const maxFrameBytes = bounds.maxBlockBytes + CID_BYTES',
      'const maxFrameBytes = bounds.maxBlockBytes',
    ],
    [
      'Buffers stay Buffers',
      'bytes.constructor === Uint8Array ? bytes',
      'bytes instanceof Uint8Array ? bytes',
    ],
  ]),
  ...car('stream-car.ts', [
    ['a file may end within a length', 'if (rest.length === 0) return undefined', 'return undefined'],
    ['the size of the file does not matter', '    refuseByteCount(this.#received, this.#limits)\n', ''],
    ['the number of blocks does not matter', '      refuseBlockCount(count, bounds)\n', ''],
    ['the source is never told to end', '    await this.#chunks.return?.()\n', ''],
    [
      'faults are said to be elsewhere',
      'this.#fileOffset += lengthBytes(length) + length',
      'this.#fileOffset += length',
    ],
    [
      'a file without a header is a file',
      "if (header === undefined) throw invalidCar(0, 'the header is cut off')",
      'if (header === undefined) return { roots: [], blocks: readBlocks(reader, bounds) }',
    ],
  ]),
  ...car('write-car.ts', [
    [
      'lengths leave out the CID',
      'parts.push(encodeVarint(cid.bytes.length + bytes.length), cid.bytes, bytes)',
      'parts.push(encodeVarint(bytes.length), cid.bytes, bytes)',
    ],
    [
      'a streamed block leaves out its CID',
      'return concatBytes([encodeVarint(cid.bytes.length + bytes.length), cid.bytes, bytes])',
      'return concatBytes([encodeVarint(bytes.length), bytes])',
    ],
  ]),
]
