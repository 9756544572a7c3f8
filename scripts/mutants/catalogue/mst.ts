import { type Edit, type Mutant, mutantsOf } from '../mutant.ts'

const mst = (file: string, edits: readonly Edit[]) => mutantsOf('mst', `packages/repo/src/lib/${file}`, edits)

export const MST: readonly Mutant[] = [
  ...mst('key-height.ts', [
    ['nodes of sixteen entries', ': Math.clz32(first) >> 1', ': Math.clz32(first) >> 2'],
    [
      'a long key whose hash begins with a zero byte stands too low',
      '    if (byte !== 0) break\n',
      '    break\n',
    ],
    [
      'keys above height three stand too low when hashed together',
      '? Math.clz32(word) >> 1',
      '? Math.min(3, Math.clz32(word) >> 1)',
    ],
  ]),
  ...mst('node-codec.ts', [
    [
      'only the first two keys have to share their height',
      'if (heights[i] !== heights[0]) return -1',
      'if (i === 1 && heights[i] !== heights[0]) return -1',
    ],
    [
      'prefixes may be shorter than they can be',
      'text[before + prefix]! >= source[start]!',
      'text[before + prefix]! > source[start]!',
    ],
    [
      'a key may come twice',
      "if (length === 0) throw invalid('a key",
      "if (length < 0) throw invalid('a key",
    ],
    [
      'a prefix may be longer than the key before',
      'if (prefix > to - before) throw',
      'if (prefix > MAX_KEY_LENGTH) throw',
    ],
    ['one entry too many', 'if (count > MAX_NODE_ENTRIES)', 'if (count > MAX_NODE_ENTRIES + 1)'],
    ['bytes may follow the node', 'if (at !== block.length) throw', 'if (at > block.length) throw'],
    ['a tree may hold blobs', '    source[start + 1] !== DRISL_CODEC ||\n', ''],
    [
      'lengths of one byte need not be short',
      'if (value !== undefined && value >= 24) return value',
      'if (value !== undefined) return value',
    ],
    [
      'lengths of two bytes need not be short',
      'if (at <= source.length && value > 0xff) return value',
      'if (at <= source.length) return value',
    ],
    ['any byte in a key', ' || KEY_CHARACTERS[byte] === 0)', ')'],
    ['several slashes in a key', 'if (slashes !== 1 || ', 'if (slashes < 1 || '],
    ['a key may end with its slash', ' || slash === prefix + length - 1)', ')'],
    [
      'keys of twice the length',
      'if (end - to > MAX_KEY_LENGTH) throw',
      'if (end - to > 2 * MAX_KEY_LENGTH) throw',
    ],
    [
      'the inverse of reading shares too little',
      'const prefix = i === 0 ? 0 : commonPrefixLength(keys[i - 1]!, key)',
      'const prefix = i === 0 ? 0 : commonPrefixLength(keys[0]!, key)',
    ],
  ]),
  ...mst('tree-node.ts', [
    [
      'a key may stand at any height',
      '} else if (decoded.height !== height) {',
      '} else if (decoded.height < -1) {',
    ],
    [
      'a root may hold nothing but a child',
      'if (isRoot && links[0] !== null)',
      'if (isRoot && links[0] === undefined)',
    ],
    [
      'an empty node may hang anywhere',
      'if (!isRoot && links[0] === null)',
      'if (!isRoot && links[0] === undefined)',
    ],
    ['nodes may be made that nobody reads', 'if (node.keys.length > MAX_NODE_ENTRIES || ', 'if ('],
    [
      'a key is not found at the end of a node',
      'let high = keys.length',
      'let high = Math.max(0, keys.length - 1)',
    ],
  ]),
  ...mst('verify-tree.ts', [
    [
      'the first key of a node may come before the node',
      'if ((i === 0 || last !== previous) && key <= last)',
      'if (i > 0 && last !== previous && key <= last)',
    ],
    [
      'what hangs between two keys may come after both',
      'if ((i === 0 || last !== previous) && key <= last)',
      'if (i === 0 && key <= last)',
    ],
    ['absent nodes are passed over unasked', 'if (options.partial) return after', 'if (true) return after'],
  ]),
  ...mst('tree-walk.ts', [
    [
      'keys need not ascend across nodes',
      'if (node !== this.#previousNode && key <= this.#previous)',
      "if (key === '')",
    ],
  ]),
  ...mst('tree-edit.ts', [
    ['the root is not trimmed', 'return rest === null ? null : trimRoot(source, rest)', 'return rest'],
    [
      'empty nodes are left behind',
      'return child === null && node.keys.length === 0 ? null : withSubtree(node, index, child)',
      'return withSubtree(node, index, child)',
    ],
    [
      'of two neighbours one loses its edge',
      'const seam = merge(source, a.subtrees[a.keys.length]!, b.subtrees[0]!, height - 1)',
      'const seam = a.subtrees[a.keys.length] ?? b.subtrees[0]!',
    ],
    [
      'heights in between have no node',
      'for (let height = from + 1; height <= to; height++)',
      'for (let height = from + 1; height < to; height++)',
    ],
    [
      'a child that comes or goes is patched in',
      'if (pattern === undefined || (child === null) !== (node.subtrees[index] === null))',
      'if (pattern === undefined)',
    ],
  ]),
  ...mst('proof.ts', [
    ['the proof lacks the entry before', "      descend(below, node.height - 1, 'last')\n", ''],
    [
      'the proof lacks the entry after',
      "      descend(node.subtrees[index + 1]!, node.height - 1, 'first')\n",
      '',
    ],
  ]),
  ...mst('diff.ts', [
    ['updates are not told', 'if (!a.value.equals(b.value))', 'if (a.value === null)'],
    [
      'an update is told as two operations',
      'else if (a.key < b.key) takeBefore()',
      'else if (a.key <= b.key) takeBefore()',
    ],
  ]),
  ...mst('write-commit.ts', [
    ['writes that come to nothing are told', 'prev?.equals(cid)) continue', 'false) continue'],
    ['a node that an edit came back to is gone', 'if (!added.delete(subtree.cid)) removed', 'removed'],
    [
      'a rev may be used twice',
      'if (head !== null && rev <= head.rev)',
      'if (head !== null && rev < head.rev)',
    ],
    [
      'a record is taken by the name it comes with',
      'if (!cidOfDrisl(bytes).equals(cid))',
      'if (cid === null)',
    ],
    ['the frame lacks the proof', 'addCoveringProof(tree, path, frameBlocks)', 'void path'],
  ]),
  ...mst('build-tree.ts', [
    ['a key may be given twice', 'if (key === previous) throw', 'if (key === null) throw'],
    [
      'entries have to be in order',
      'if (!isAscending(sorted)) sorted.sort',
      'if (sorted.length < 0) sorted.sort',
    ],
  ]),
  ...mst('key.ts', [
    ['keys of any length', 'if (key.length > MAX_KEY_LENGTH || !hasTwoParts(key))', 'if (!hasTwoParts(key))'],
  ]),
  ...mst('checked-source.ts', [
    ['blocks of a proof are taken on trust', '!equalBytes(sha256(bytes), cid.digest)', 'bytes.length === 0'],
  ]),
  ...mst('verify-repo.ts', [
    [
      'a repository of anybody',
      'if (expected.did !== undefined && commit.did !== expected.did)',
      'if (expected.did === null)',
    ],
    ['a repository may hold what is no record', 'if (!isRepoPath(path)) throw', 'if (path === null) throw'],
    ['records may be missing', 'requireBlock(source, value, ', 'source.get(value, '],
  ]),
]
