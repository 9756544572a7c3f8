import { type Edit, type Mutant, mutantsOf } from '../mutant.ts'

/** At least two for each of the sixteen checks of a commit. */
const VERIFY = 'packages/sync/src/verify-commit.ts'
const COMMIT = 'packages/repo/src/lib/commit.ts'
const INVERT = 'packages/repo/src/lib/invert.ts'

const check = (number: number, file: string, edits: readonly Edit[]) =>
  mutantsOf(`check-${number}`, file, edits)

export const CHECKS: readonly Mutant[] = [
  ...check(1, VERIFY, [
    [
      'anything that begins like a DID is one',
      'if (!isDid(did)) refuse(1',
      "if (!did.startsWith('did:')) refuse(1",
    ],
    ['a bad DID is counted as a wrong sender', '!isDid(did)) refuse(1', '!isDid(did)) refuse(2'],
  ]),
  ...check(2, VERIFY, [
    [
      'host names in capitals are other hosts',
      'pdsHost.toLowerCase() !== senderHost.toLowerCase()',
      'pdsHost !== senderHost',
    ],
    [
      'a host may speak for its subdomains',
      'pdsHost.toLowerCase() !== senderHost.toLowerCase()',
      '!pdsHost.toLowerCase().endsWith(senderHost.toLowerCase())',
    ],
    ['anybody may speak for anybody', 'pdsHost.toLowerCase() !== senderHost.toLowerCase()', 'false'],
  ]),
  ...check(3, VERIFY, [
    ['only a takedown is inactive', "account.status !== 'active'", "account.status === 'takendown'"],
    [
      'an account without a repository is active',
      'if (account !== undefined && account.status',
      'if (account?.head !== undefined && account.status',
    ],
  ]),
  ...check(4, VERIFY, [
    ['twice the bytes are let through', 'blocks.length > max)', 'blocks.length > 2 * max)'],
    ['as many bytes as are allowed are too many', 'blocks.length > max)', 'blocks.length >= max)'],
    ['no blocks are no fault of size', "if (blocks.length === 0) refuse(4, 'no blocks')", ''],
    [
      'one operation more than is allowed',
      'if (event.ops.length > MAX_COMMIT_OPS)',
      'if (event.ops.length > MAX_COMMIT_OPS + 1)',
    ],
    [
      'tooBig is followed unless it is also a rebase',
      'if (event.tooBig || event.rebase)',
      'if (event.tooBig && event.rebase)',
    ],
    [
      'a record may fill the whole slice',
      'record.length > MAX_RECORD_BYTES',
      'record.length > MAX_COMMIT_BLOCKS_BYTES',
    ],
    [
      'a record at the limit is over it',
      'record.length > MAX_RECORD_BYTES',
      'record.length >= MAX_RECORD_BYTES',
    ],
  ]),
  ...check(5, VERIFY, [
    ['thirteen characters are a TID', 'if (!isTid(rev)) refuse(5', 'if (rev.length !== 13) refuse(5'],
    ['a rev may lie days ahead', 'if (aheadMs > MAX_REV_AHEAD_MS)', 'if (aheadMs > 1000 * MAX_REV_AHEAD_MS)'],
    [
      'a rev of the past is refused',
      'tidMicros(rev) / 1000 - nowMs',
      'Math.abs(tidMicros(rev) / 1000 - nowMs)',
    ],
    [
      'five seconds are taken for five minutes',
      'MAX_REV_AHEAD_MS = 5 * 60_000',
      'MAX_REV_AHEAD_MS = 5 * 1000',
    ],
  ]),
  ...check(6, VERIFY, [
    ['the same rev comes after itself', 'rev <= known.rev', 'rev < known.rev'],
    ['what was seen before is called a fault', "outcome: 'stale',", "outcome: 'refused',"],
  ]),
  ...check(7, VERIFY, [
    [
      'any commit in the slice will do',
      'if (!cid.equals(event.commit))',
      'if (cid.codec !== event.commit.codec)',
    ],
    ['the commit need not be among the blocks', 'if (!car.blocks.has(root))', 'if (car.blocks.size === 0)'],
    ['the last root is the commit', 'const root = car.roots[0]', 'const root = car.roots.at(-1)'],
  ]),
  ...check(8, VERIFY, [
    ['a commit about somebody else', 'if (commit.did !== did)', 'if (commit.did.length !== did.length)'],
    ['a commit of another rev', 'if (commit.rev !== rev)', 'if (commit.rev < rev)'],
  ]),
  ...check(8, COMMIT, [
    ['any version is 3', 'if (version !== 3)', "if (typeof version !== 'number')"],
    [
      'one unknown field is overlooked',
      'if (names.length > FIELDS.length)',
      'if (names.length > FIELDS.length + 1)',
    ],
    ['a signature may be too long', 'sig.length !== SIGNATURE_BYTES', 'sig.length < SIGNATURE_BYTES'],
    ['prev may be anything', 'if (prev !== null && !isCid(prev))', 'if (prev === undefined)'],
    ['rev may be anything', 'if (!isTid(rev))', "if (typeof rev !== 'string')"],
  ]),
  ...check(9, VERIFY, [
    [
      'sixty-four bytes are a signature',
      '!verifyCommitSignature(commit, signingKey)',
      'commit.sig.length !== 64',
    ],
    ['a bad signature is called an unknown key', 'refuse(9,', 'refuse(10,'],
  ]),
  ...check(9, COMMIT, [
    [
      'the signature does not cover prev',
      'verifySignature(key, encode(unsigned(parsed)), parsed.sig)',
      'verifySignature(key, encode(unsigned({ ...parsed, prev: null })), parsed.sig)',
    ],
  ]),
  ...check(10, VERIFY, [
    [
      'without a key nothing is checked',
      'if (signingKey === undefined) refuse(10,',
      'if (signingKey === undefined) return\n  if (signingKey === null) refuse(10,',
    ],
    ['an unknown key is called a bad signature', 'refuse(10,', 'refuse(9,'],
  ]),
  ...check(11, VERIFY, [
    ['a slash makes a path', 'if (!isRepoPath(path)) refuse(11', "if (!path.includes('/')) refuse(11"],
    [
      'a path may be deleted twice',
      'if (paths.has(path)) refuse(11',
      "if (paths.has(path) && action !== 'delete') refuse(11",
    ],
    [
      'a creation may have a prev',
      "if (cid === null || prev !== null) wrong('a cid, and no prev')",
      "if (cid === null) wrong('a cid, and no prev')",
    ],
    [
      'an update may go without a prev',
      "if (cid === null || prev === null) wrong('both')",
      "if (cid === null) wrong('both')",
    ],
    ['an update may change nothing', 'if (cid!.equals(prev!)) refuse(11', 'if (cid === prev) refuse(11'],
    [
      'a deletion may have a cid',
      "if (cid !== null || prev === null) wrong('a prev, and no cid')",
      "if (prev === null) wrong('a prev, and no cid')",
    ],
    ['any word is an action', '} else refuse(11,', "} else if (action === '') refuse(11,"],
  ]),
  ...check(12, VERIFY, [
    [
      'what was deleted may still be there',
      'if (held !== undefined) refuse(12',
      'if (held === null) refuse(12',
    ],
    [
      'what was created may be missing',
      'if (held === undefined) refuse(12',
      'if (held === undefined) continue\n      if (held === null) refuse(12',
    ],
    [
      'another record may stand at the path',
      'if (!held.equals(cid)) refuse(12',
      'if (held.codec !== cid.codec) refuse(12',
    ],
    ['records need not be sent', 'if (!blocks.has(cid)) refuse(12', 'if (blocks.size === 0) refuse(12'],
    ['the tree need not be one', 'verifyTree(tree, { partial: true })', ''],
    ['the whole tree has to be sent', 'verifyTree(tree, { partial: true })', 'verifyTree(tree)'],
  ]),
  ...check(13, VERIFY, [
    [
      'records may be as deep as any data',
      'decode(blocks.get(cid)!, RECORD_LIMITS)',
      'decode(blocks.get(cid)!)',
    ],
    ['a record may be a text', 'if (!isDataMap(decode(', 'if (Array.isArray(decode('],
    [
      'records are looked at only when asked',
      'context.decodeRecords === false',
      'context.decodeRecords !== true',
    ],
  ]),
  ...check(14, VERIFY, [
    [
      'a first commit may follow on another',
      'if (genesis && event.since !== null)',
      'if (genesis && event.since === undefined)',
    ],
    ['a repository may begin twice', 'if (genesis && known !== undefined)', 'if (genesis && known === null)'],
  ]),
  ...check(15, VERIFY, [
    [
      'a first commit may hold what nobody wrote',
      'if (!before.equals(Mst.empty().root))',
      'if (before.codec !== 0x71)',
    ],
    [
      'the tree before is taken on trust',
      'else if (!before.equals(prevData))',
      'else if (before.codec !== prevData.codec)',
    ],
    [
      'a proof that is incomplete is not said to be',
      'error instanceof MissingBlockError ? error.cid : undefined',
      'undefined',
    ],
  ]),
  ...check(15, INVERT, [
    ['a path may be named twice', 'if (paths.has(path)) throw', 'if (paths.size < 0) throw'],
    [
      'what is held need not be what the operation says',
      'if (!held.is(expected)) throw',
      'if (held === null) throw',
    ],
    [
      'a deleted record that is there is put back all the same',
      'if (held !== undefined) throw',
      'if (held === null) throw',
    ],
    ['an update is not undone', 'return tree.update(path, prev)', 'return tree'],
  ]),
  ...check(16, VERIFY, [
    [
      'commits in between may be missing',
      'if (event.since !== known.rev) return',
      "if ((event.since ?? '') < known.rev) return",
    ],
    [
      'the tree before may be another one',
      'if (!event.prevData?.equals(known.data))',
      'if (event.prevData === undefined)',
    ],
    ['a gap is not told', "outcome: gap === undefined ? 'accepted' : 'discontinuous'", "outcome: 'accepted'"],
  ]),
]
