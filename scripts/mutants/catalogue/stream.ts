import { type Edit, type Mutant, mutantsOf } from '../mutant.ts'

/** Around the sixteen checks: `#sync`, frames that a relay passes on, and verdicts between threads. */
const stream = (file: string, edits: readonly Edit[]) =>
  mutantsOf('stream', `packages/sync/src/${file}`, edits)

export const STREAM: readonly Mutant[] = [
  ...stream('verify-sync.ts', [
    [
      'a #sync rolls the repository back',
      'if (known !== undefined && rev < known.rev) throw',
      'if (known === null) throw',
    ],
    [
      'another tree may stand under a rev that is known',
      'if (known !== undefined && rev === known.rev && !same)',
      'if (known === null)',
    ],
    ['what is new and says the same is nothing new', 'same && rev === known?.rev ?', 'same ?'],
    ['blocks beside the commit', 'if (blocks.size !== 1)', 'if (blocks.size < 1)'],
    ['a #sync may be as large as a #commit', 'MAX_SYNC_BLOCKS_BYTES)\n', '2_000_000)\n'],
    ['anybody may sign a #sync', '  checkSignature(commit, context)\n', ''],
    ['a #sync may come from the future', '  checkRev(rev, context.nowMs)\n', ''],
  ]),
  ...stream('splice-seq.ts', [
    ['24 is written in its own head', 'seq < 24 ? 1', 'seq <= 24 ? 1'],
    ['256 is written in one byte', 'seq < 0x100 ? 2', 'seq <= 0x100 ? 2'],
    ['2¹⁶ is written in two bytes', 'seq < 0x1_0000 ? 3', 'seq <= 0x1_0000 ? 3'],
    ['2³² is written in four bytes', 'seq < 0x1_0000_0000 ? 5', 'seq <= 0x1_0000_0000 ? 5'],
    ['any key that begins like seq is it', 'key.argument === SEQ.length && ', ''],
    [
      'seq may be anything',
      'if (readHead(frame, at).major !== MAJOR.unsigned) throw',
      'if (readHead(frame, at).major === MAJOR.simple) throw',
    ],
    ['maps hold half of what they say', 'pending += 2 * argument', 'pending += argument'],
    ['tags hold nothing', '    else if (major === MAJOR.tag) pending++\n', ''],
    ['zero is a seq', '|| seq < 1)', '|| seq < 0)'],
  ]),
  ...stream('verdict-batch.ts', [
    [
      'what was missing is lost on the way',
      'verdict.reason, verdict.missing !== undefined)',
      'verdict.reason, false)',
    ],
    ['the commit comes back as the tree', 'new Cid(bytes, at + CID_BYTES), rev', 'new Cid(bytes, at), rev'],
    [
      'the head is written over the frame',
      'account?.head?.data.writeTo(bytes, at + frame.length)',
      'account?.head?.data.writeTo(bytes, at)',
    ],
    [
      'records are decoded whoever asked not to',
      '...(decodeRecords !== undefined && { decodeRecords })',
      '...(decodeRecords === true && { decodeRecords })',
    ],
  ]),
  ...stream('judge-frame.ts', [
    [
      'an event of the wrong form throws',
      'error instanceof FrameError || error instanceof SyncError',
      'error instanceof FrameError',
    ],
    ['every #sync begins a repository', 'genesis: false', 'genesis: true'],
  ]),
]
