import assert from 'node:assert/strict'
import test from 'node:test'
import { generateKeypair } from '@imago/crypto'
import {
  createGenesis,
  type DidPlc,
  judgeOperation,
  type Operation,
  operationCid,
  PlcError,
  type PlcOperation,
  tombstoneOperation,
  updateOperation,
} from '@imago/identity/plc'
import {
  createSigningKey,
  hashLeaf,
  parseCheckpoint,
  proveConsistency,
  treeRoot,
  verifyConsistency,
  withTiles,
} from '@imago/tlog'
import { encodeLogEntry } from '../transparency/log-entry.ts'
import { createGrowTree, type GrowTree } from '../transparency/tree-growth.ts'
import type { PlcStore, Replayed, StoredOperation } from './plc-store.ts'

export interface OpenOptions {
  readonly now: () => number
  readonly growTree?: GrowTree | undefined
  readonly isReplica?: boolean
  /** Logs kept in memory. Of no consequence to what is true. */
  readonly cachedLogs?: number
}

/** What an adapter must be able to do so that the suite can look at it from outside. */
export interface PlcStoreHarness extends AsyncDisposable {
  /** Opens the store; called again after the last one was closed, it opens what that one left. */
  open(options: OpenOptions): Promise<PlcStore>
  /** From now on a transaction that writes the operation or notice `seq` fails, with this message, as on a full disk. */
  failAt(seq: number, message: string): Promise<void>
  heal(): Promise<void>
}

/** Runs a body as a test, or leaves it out where something is missing. */
type DefineTest = (title: string, body: () => Promise<void>) => void

const strong = generateKeypair('k256')
const weak = generateKeypair('p256')
const now = () => 1000
const origin = 'plc.test/log'
const logKey = createSigningKey(origin, 'ed25519', new Uint8Array(32).fill(1), () => 0)
const growTree = createGrowTree(origin, logKey)

interface Registered {
  readonly did: DidPlc
  readonly operation: PlcOperation
}

const genesisOf = (name: string): Registered =>
  createGenesis(
    {
      rotationKeys: [strong.didKey, weak.didKey],
      verificationMethods: {},
      alsoKnownAs: [name],
      services: {},
    },
    weak,
  )

const rename = (last: PlcOperation, name: string, key = weak) =>
  updateOperation(last, { alsoKnownAs: [name] }, key)

/** Takes an operation as a version would have that looked at nothing. */
const takeLaxly = (
  store: PlcStore,
  did: DidPlc,
  operation: PlcOperation,
  undone: readonly PlcOperation[] = [],
) =>
  store.commit(did, ({ createdAt }) => ({
    kind: 'accept',
    verdict: {
      entry: { operation, cid: operationCid(operation), createdAt, signer: 0, nullified: false },
      nullified: undone.map(operationCid),
    },
  }))

const forged = (operation: PlcOperation, { operation: other }: Registered): PlcOperation => ({
  ...operation,
  sig: other.sig,
})

const cidText = (operation: Operation) => operationCid(operation).toString()

/** Takes an operation as an authority does: known, judged and written, or thrown. */
export const take = (store: PlcStore, did: DidPlc, operation: Operation) =>
  store.commit(did, ({ log, createdAt }) => {
    const cid = operationCid(operation)
    const entry = log.entries.find((known) => known.cid.equals(cid))
    return entry === undefined
      ? { kind: 'accept', verdict: judgeOperation(log, operation, createdAt) }
      : { kind: 'known', entry }
  })

const judge: Parameters<PlcStore['replay']>[1] = (log, { operation, createdAt }) =>
  judgeOperation(log, operation, createdAt)

const replayed = ({ did }: Registered, operation: Operation, seq: number, createdAt = seq): Replayed => ({
  did,
  operation,
  seq,
  createdAt,
})

const seqs = (operations: readonly StoredOperation[]) => operations.map(({ seq }) => seq)

/** The suite that every adapter of the PlcStore port passes. */
export function plcStoreContract(
  adapter: string,
  harness: () => Promise<PlcStoreHarness>,
  defineTest: DefineTest = (title, body) => void test(title, body),
): void {
  const contractTest = (title: string, body: (harness: PlcStoreHarness) => Promise<void>) =>
    defineTest(`${adapter}: ${title}`, async () => {
      await using fresh = await harness()
      await body(fresh)
    })

  contractTest('a new store is empty', async ({ open }) => {
    await using store = await open({ now, growTree })
    const { did } = genesisOf('nobody')
    assert.equal(await store.latest(), undefined)
    assert.equal(await store.head(did), undefined)
    assert.deepEqual(await store.operations(did), [])
    assert.equal(await store.head('did:plc:a\u0000b'), undefined)
    assert.deepEqual(await store.operations('a\u0000b'), [])
    assert.deepEqual(await store.page({ seq: 0 }, 10), [])
    assert.deepEqual(await store.page({ time: Number.MIN_SAFE_INTEGER }, 10), [])
    assert.deepEqual(await store.evidence({ after: 0, limit: 10 }), [])
    assert.equal(await store.tree.checkpoint(), undefined)
  })

  contractTest(
    '[PLC-29] what was committed is numbered without gaps, and there when the commit resolves',
    async ({ open }) => {
      await using store = await open({ now })
      const a = genesisOf('a')
      const b = genesisOf('b')
      const receipt = await take(store, a.did, a.operation)
      assert.deepEqual(receipt, {
        seq: 1,
        cid: operationCid(a.operation).toString(),
        nullified: false,
        createdAt: 1000,
      })
      assert.deepEqual(await store.head(a.did), {
        ...receipt,
        did: a.did,
        json: JSON.stringify(a.operation),
      })
      assert.deepEqual(await store.latest(), { seq: 1, createdAt: 1000 })
      assert.equal((await take(store, b.did, b.operation)).seq, 2)
      assert.equal((await take(store, a.did, rename(a.operation, 'a2'))).seq, 3)
      assert.deepEqual(seqs(await store.operations(a.did)), [1, 3])
      assert.deepEqual(seqs(await store.operations(b.did)), [2])
      assert.deepEqual(seqs(await store.page({ seq: 0 }, 10)), [1, 2, 3])
    },
  )

  contractTest('text comes back as it was: quotes, NUL, other scripts, odd names', async ({ open }) => {
    await using store = await open({ now })
    const { did, operation } = createGenesis(
      {
        rotationKeys: [strong.didKey],
        verificationMethods: { ['__proto__']: strong.didKey, 9: strong.didKey },
        alsoKnownAs: ['at://"quoted".test', 'a\u0000b', 'Grüße 😀', 'e\u0301', "'; DROP TABLE operation; --"],
        services: {},
      },
      strong,
    )
    await take(store, did, operation)
    const [stored] = await store.operations(did)
    assert.equal(stored!.json, JSON.stringify(operation))
    assert.equal(operationCid(JSON.parse(stored!.json)).toString(), stored!.cid)
  })

  contractTest(
    '[PLC-29] times never go back, and an operation is later than the one before it',
    async ({ open }) => {
      let time = 5000
      await using store = await open({ now: () => time })
      const a = genesisOf('a')
      assert.equal((await take(store, a.did, a.operation)).createdAt, 5000)
      time = 1
      const b = genesisOf('b')
      assert.equal((await take(store, b.did, b.operation)).createdAt, 5000)
      const second = rename(a.operation, 'a2')
      assert.equal((await take(store, a.did, second)).createdAt, 5001)
      const third = rename(second, 'a3')
      assert.equal((await take(store, a.did, third)).createdAt, 5002)
      time = 9000
      assert.equal((await take(store, a.did, rename(third, 'a4'))).createdAt, 9000)
    },
  )

  contractTest(
    '[PLC-10] an operation that is there already is answered with its receipt, and written once',
    async ({ open }) => {
      await using store = await open({ now, growTree })
      const a = genesisOf('a')
      const first = await take(store, a.did, a.operation)
      await take(store, a.did, rename(a.operation, 'a2'))
      assert.deepEqual(await take(store, a.did, a.operation), first)
      assert.deepEqual(await store.latest(), { seq: 2, createdAt: 1001 })
      assert.equal((await store.tree.checkpoint())!.size, 2)
      const b = genesisOf('b')
      const storm = await Promise.all(Array.from({ length: 20 }, () => take(store, b.did, b.operation)))
      assert.deepEqual(new Set(storm.map(({ seq }) => seq)), new Set([3]))
    },
  )

  contractTest('a fork undoes what it disputes; the receipt of what is undone says so', async ({ open }) => {
    await using store = await open({ now })
    const a = genesisOf('a')
    const [second, end] = [rename(a.operation, 'b'), (last: PlcOperation) => tombstoneOperation(last, weak)]
    await take(store, a.did, a.operation)
    await take(store, a.did, second)
    await take(store, a.did, end(second))
    const recovery = rename(a.operation, 'c', strong)
    assert.equal((await take(store, a.did, recovery)).seq, 4)
    const flags = (await store.operations(a.did)).map(({ nullified }) => nullified)
    assert.deepEqual(flags, [false, true, true, false])
    assert.deepEqual(
      (await store.page({ seq: 0 }, 10)).map(({ nullified }) => nullified),
      flags,
    )
    assert.equal((await store.head(a.did))!.cid, operationCid(recovery).toString())
    assert.equal((await take(store, a.did, second)).nullified, true)
  })

  contractTest('[PLC-35] what was committed is there after a restart, forks included', async ({ open }) => {
    const a = genesisOf('a')
    {
      await using store = await open({ now, growTree })
      await take(store, a.did, a.operation)
      await take(store, a.did, rename(a.operation, 'b'))
    }
    await using store = await open({ now, growTree })
    // Only a log that has kept who signed what knows that the weak key may not undo its own operation.
    await assert.rejects(take(store, a.did, rename(a.operation, 'c')), { code: 'StalePrev' })
    const receipt = await take(store, a.did, rename(a.operation, 'd', strong))
    assert.deepEqual([receipt.seq, receipt.createdAt], [3, 1002])
    assert.equal((await store.tree.checkpoint())!.size, 3)
  })

  contractTest(
    'each commit is decided once, after what came before it; a rejection concerns nobody else',
    async ({ open }) => {
      await using store = await open({ now })
      const a = genesisOf('a')
      let last = a.operation
      const chain = [last, ...Array.from({ length: 9 }, (_, i) => (last = rename(last, `a${i}`)))]
      let decisions = 0
      const outcomes = await Promise.allSettled([
        ...chain.map((operation, i) =>
          store.commit(a.did, ({ log, createdAt }) => {
            decisions++
            assert.equal(log.entries.length, i)
            return { kind: 'accept', verdict: judgeOperation(log, operation, createdAt) }
          }),
        ),
        store.commit(a.did, () => {
          throw new RangeError('not this one')
        }),
        take(store, genesisOf('b').did, a.operation),
      ])
      assert.equal(decisions, chain.length)
      assert.deepEqual(
        outcomes.map((outcome) => (outcome.status === 'fulfilled' ? outcome.value.seq : outcome.reason.name)),
        [1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 'RangeError', 'PlcError'],
      )
      const c = genesisOf('c')
      assert.equal((await take(store, c.did, c.operation)).seq, 11)
    },
  )

  contractTest(
    'of many who build on one operation one wins, and the numbers have no gap',
    async ({ open }) => {
      await using store = await open({ now, growTree })
      const a = genesisOf('a')
      await take(store, a.did, a.operation)
      const outcomes = await Promise.allSettled(
        Array.from({ length: 64 }, (_, i) => take(store, a.did, rename(a.operation, `writer-${i}`))),
      )
      assert.equal(outcomes.filter(({ status }) => status === 'fulfilled').length, 1)
      for (const outcome of outcomes)
        if (outcome.status === 'rejected') assert.equal(outcome.reason.code, 'StalePrev')
      assert.deepEqual(await store.latest(), { seq: 2, createdAt: 1001 })
    },
  )

  contractTest(
    'after a failed transaction nothing of it is there, neither in the store nor in memory',
    async ({ open, failAt, heal }) => {
      await using store = await open({ now, growTree })
      const [a, b, c] = [genesisOf('a'), genesisOf('b'), genesisOf('c')]
      await take(store, a.did, a.operation)
      const before = await store.tree.checkpoint()
      const announced: number[] = []
      store.subscribe((operations) => announced.push(...seqs(operations)))
      await failAt(3, 'disk full')
      const second = rename(a.operation, 'a2')
      const outcomes = await Promise.allSettled([
        take(store, a.did, second),
        take(store, b.did, b.operation),
        take(store, c.did, c.operation),
      ])
      for (const outcome of outcomes) {
        assert.ok(outcome.status === 'rejected')
        assert.match(String(outcome.reason), /disk full/)
      }
      assert.deepEqual(announced, [])
      assert.deepEqual(await store.latest(), { seq: 1, createdAt: 1000 })
      assert.deepEqual(await store.tree.checkpoint(), before)
      assert.equal((await store.tree.hashes(0, 0, 10)).length, 32)
      await assert.rejects(store.replay([replayed(b, b.operation, 3)], judge), /disk full/)
      await heal()
      assert.equal((await take(store, a.did, second)).seq, 2)
      assert.equal((await take(store, b.did, b.operation)).seq, 3)
      assert.deepEqual(announced, [2, 3])
      assert.equal(await consistentFrom(store, before!.note), 3)
    },
  )

  contractTest('[PLC-25] [PLC-26] pages by number and by time, from any place', async ({ open }) => {
    let time = 0
    await using store = await open({ now: () => time })
    for (const at of [10, 10, 10, 20, 20, 30]) {
      time = at
      const { did, operation } = genesisOf(`at ${at}`)
      await take(store, did, operation)
    }
    const page = async (...args: Parameters<PlcStore['page']>) => seqs(await store.page(...args))
    assert.deepEqual(await page({ seq: 0 }, 2), [1, 2])
    assert.deepEqual(await page({ seq: 2 }, 3), [3, 4, 5])
    assert.deepEqual(await page({ seq: 5 }, 3), [6])
    assert.deepEqual(await page({ seq: 6 }, 3), [])
    assert.deepEqual(await page({ seq: Number.MAX_SAFE_INTEGER }, 3), [])
    assert.deepEqual(await page({ time: Number.MIN_SAFE_INTEGER }, 4), [1, 2, 3, 4])
    assert.deepEqual(await page({ time: 9 }, 1000), [1, 2, 3, 4, 5, 6])
    assert.deepEqual(await page({ time: 10 }, 1000), [4, 5, 6])
    assert.deepEqual(await page({ time: 29 }, 1000), [6])
    assert.deepEqual(await page({ time: 30 }, 1000), [])
  })

  contractTest(
    'listeners hear each batch in order, when it can be read, until they leave',
    async ({ open }) => {
      await using store = await open({ now })
      const heard: number[] = []
      const readable: Promise<boolean>[] = []
      const leave = store.subscribe((operations) => {
        heard.push(...seqs(operations))
        const { seq } = operations.at(-1)!
        readable.push(store.latest().then((latest) => latest!.seq >= seq))
      })
      const genesis = Array.from({ length: 30 }, (_, i) => genesisOf(`a${i}`))
      const receipts = await Promise.all(genesis.map(({ did, operation }) => take(store, did, operation)))
      assert.deepEqual(
        heard,
        receipts.map(({ seq }) => seq),
      )
      assert.ok((await Promise.all(readable)).every(Boolean))
      leave()
      const last = genesisOf('last')
      await take(store, last.did, last.operation)
      assert.equal(heard.length, 30)
    },
  )

  contractTest(
    "[PLC-30] another directory's history keeps its numbers and times, gaps included",
    async ({ open }) => {
      await using store = await open({ now, growTree, isReplica: true })
      const heard: number[] = []
      store.subscribe((operations) => heard.push(...seqs(operations)))
      const [a, b] = [genesisOf('a'), genesisOf('b')]
      const second = rename(a.operation, 'a2')
      const batch = [replayed(a, a.operation, 7, 100), replayed(b, b.operation, 9, 90)]
      const kinds = (outcomes: Awaited<ReturnType<PlcStore['replay']>>) => outcomes.map(({ kind }) => kind)
      assert.deepEqual(kinds(await store.replay(batch, judge)), ['accepted', 'accepted'])
      const more = [...batch, replayed(a, second, 20, 101)]
      const outcomes = await store.replay(more, judge)
      assert.deepEqual(kinds(outcomes), ['known', 'known', 'accepted'])
      assert.ok(outcomes[2]?.kind === 'accepted')
      assert.deepEqual(outcomes[2].operation, (await store.operations(a.did))[1])
      assert.deepEqual(
        (await store.page({ seq: 0 }, 10)).map(({ seq, createdAt }) => [seq, createdAt]),
        [
          [7, 100],
          [9, 90],
          [20, 101],
        ],
      )
      assert.deepEqual(heard, [7, 9, 20])
      // Entries of the log stand side by side, and say which number they have where they come from.
      assert.deepEqual(await Promise.all([7, 9, 20].map((seq) => store.tree.indexOf(seq))), [0, 1, 2])
      assert.deepEqual(
        (await store.tree.entries(1, 5)).map(({ did, upstreamSeq }) => [did, upstreamSeq]),
        [
          [b.did, 9],
          [a.did, 20],
        ],
      )
      await consistentFrom(store)
    },
  )

  contractTest(
    '[PLC-31] what is refused, or told with a number that is past, stays out and stops nothing',
    async ({ open }) => {
      await using store = await open({ now, growTree, isReplica: true })
      const [a, b, c] = [genesisOf('a'), genesisOf('b'), genesisOf('c')]
      const outOfTime = rename(a.operation, 'x')
      const stranger: PlcOperation = { ...rename(b.operation, 'y'), alsoKnownAs: ['z'] }
      const outcomes = await store.replay(
        [
          replayed(a, a.operation, 1, 1000),
          replayed(a, outOfTime, 2, 1000),
          replayed(b, b.operation, 5),
          replayed(b, stranger, 6),
          replayed(c, c.operation, 5),
          replayed(c, c.operation, 7),
        ],
        judge,
      )
      assert.deepEqual(
        outcomes.map((outcome) => (outcome.kind === 'refused' ? outcome.error.code : outcome.kind)),
        ['accepted', 'InvalidTime', 'accepted', 'InvalidSignature', 'outOfOrder', 'accepted'],
      )
      assert.deepEqual(outcomes[4], { kind: 'outOfOrder', latestSeq: 5 })
      assert.deepEqual(seqs(await store.page({ seq: 0 }, 10)), [1, 5, 7])
      assert.equal((await store.tree.checkpoint())!.size, 3)
      const evidence = await store.evidence({ after: 0, limit: 10 })
      assert.deepEqual(
        evidence.map(({ did, seq, json, foundAt }) => [did, seq, json, foundAt]),
        [
          [a.did, 2, JSON.stringify(outOfTime), 1000],
          [b.did, 6, JSON.stringify(stranger), 1000],
        ],
      )
      assert.match(evidence[1]!.reason, /Invalid signature/)
    },
  )

  contractTest('what a judge throws that is no refusal undoes the whole batch', async ({ open }) => {
    await using store = await open({ now, growTree, isReplica: true })
    const [a, b] = [genesisOf('a'), genesisOf('b')]
    const batch = [replayed(a, a.operation, 1), replayed(b, b.operation, 2)]
    const faulty: typeof judge = (log, one) => {
      if (one.seq === 2) throw new TypeError('our own fault')
      return judge(log, one)
    }
    await assert.rejects(store.replay(batch, faulty), /our own fault/)
    assert.equal(await store.latest(), undefined)
    assert.equal(await store.tree.checkpoint(), undefined)
    assert.equal((await store.replay(batch, judge)).filter(({ kind }) => kind === 'accepted').length, 2)
    assert.ok(!(new TypeError() instanceof PlcError))
  })

  contractTest('evidence is kept once, in order, whatever its text', async ({ open }) => {
    await using store = await open({ now })
    const keep = (seq: number, json: string, reason = 'it is not JSON') =>
      store.keepEvidence({ did: 'did:plc:x', seq, json, reason })
    const texts = ['{', 'a\u0000b', '😀'.repeat(5000), "');--"]
    for (const [i, text] of texts.entries()) await keep(i, text)
    await keep(0, texts[0]!)
    await keep(0, texts[0]!, 'another reason')
    const all = await store.evidence({ after: 0, limit: 10 })
    assert.deepEqual(
      all.map(({ json }) => json),
      [...texts, texts[0]],
    )
    const ids = all.map(({ id }) => id)
    assert.deepEqual(
      ids,
      ids.toSorted((x, y) => x - y),
    )
    const rest = await store.evidence({ after: ids[1]!, limit: 2 })
    assert.deepEqual(
      rest.map(({ id }) => id),
      ids.slice(2, 4),
    )
  })

  contractTest(
    '[PLC-38] the log grows with the operations: one entry each, and every checkpoint continues the last',
    async ({ open }) => {
      const a = genesisOf('a')
      let note: string
      {
        await using store = await open({ now, growTree })
        await take(store, a.did, a.operation)
        note = (await store.tree.checkpoint())!.note
        const many = Array.from({ length: 299 }, (_, i) => genesisOf(`many${i}`))
        await Promise.all(many.map(({ did, operation }) => take(store, did, operation)))
        assert.equal(await consistentFrom(store, note), 300)
        // The first full tile is an entry of the next level.
        assert.equal((await store.tree.hashes(1, 0, 5)).length, 32)
        note = (await store.tree.checkpoint())!.note
      }
      await using store = await open({ now, growTree })
      await take(store, a.did, rename(a.operation, 'a2'))
      assert.equal(await consistentFrom(store, note), 301)
      assert.equal(await store.tree.indexOf(301), 300)
    },
  )

  contractTest('a store that begins to keep a log pours its history into it first', async ({ open }) => {
    const [a, b] = [genesisOf('a'), genesisOf('b')]
    {
      await using store = await open({ now })
      await take(store, a.did, a.operation)
      await take(store, b.did, b.operation)
      assert.equal(await store.tree.checkpoint(), undefined)
    }
    await using store = await open({ now, growTree })
    assert.equal((await store.tree.checkpoint())!.size, 2)
    await take(store, a.did, rename(a.operation, 'a2'))
    assert.equal(await consistentFrom(store), 3)
  })

  contractTest(
    '[PLC-33] a withdrawal sets aside what may not stand, with all that rests on it; what it had undone holds again',
    async ({ open }) => {
      let time = 1000
      const a = genesisOf('a')
      const second = rename(a.operation, 'a2')
      const theft = forged(rename(a.operation, 'stolen', strong), a)
      const after = rename(theft, 'a3')
      const notice = { did: a.did, cid: cidText(theft), reason: 'nobody signed it' }
      let note: string
      {
        await using store = await open({ now: () => time, growTree })
        await take(store, a.did, a.operation)
        await take(store, a.did, second)
        await takeLaxly(store, a.did, theft, [second])
        await take(store, a.did, after)
        note = (await store.tree.checkpoint())!.note
        await assert.rejects(store.withdraw({ ...notice, cid: cidText(second) }), { code: 'Valid' })
        await assert.rejects(store.withdraw({ ...notice, cid: cidText(after) }), { code: 'NotFirst' })
        await assert.rejects(store.withdraw({ ...notice, did: genesisOf('b').did }), { code: 'NotFound' })
        assert.deepEqual(await store.latest(), { seq: 4, createdAt: 1003 })
        const heard: unknown[] = []
        store.subscribe((...events) => heard.push(events))
        time = 2000
        const withdrawal = await store.withdraw(notice)
        assert.deepEqual(heard, [[[], [withdrawal]]])
        const { operations, ...given } = withdrawal
        assert.deepEqual(given, { ...notice, seq: 5, createdAt: 2000 })
        assert.deepEqual(
          operations.map(({ seq, cid, nullified, createdAt, rule }) => [
            seq,
            cid,
            nullified,
            createdAt,
            rule,
          ]),
          [
            [3, cidText(theft), false, 1002, 'InvalidSignature'],
            [4, cidText(after), false, 1003, 'Misordered'],
          ],
        )
        assert.deepEqual(await store.withdraw(notice), withdrawal, 'once')
        assert.deepEqual(await store.withdraw({ ...notice, cid: cidText(after) }), withdrawal)
      }
      await using store = await open({ now: () => time, growTree })
      assert.deepEqual(
        (await store.operations(a.did)).map(({ seq, nullified }) => [seq, nullified]),
        [
          [1, false],
          [2, false],
        ],
      )
      assert.equal((await store.head(a.did))!.seq, 2)
      assert.deepEqual(seqs(await store.page({ seq: 0 }, 10)), [1, 2])
      assert.deepEqual(seqs(await store.page({ time: 0 }, 10)), [1, 2])
      assert.deepEqual(await store.latest(), { seq: 5, createdAt: 2000 })
      const withdrawals = await store.withdrawals(a.did)
      assert.deepEqual([withdrawals.length, withdrawals[0]!.operations.length], [1, 2])
      assert.deepEqual(await store.withdrawalPage(4, 10), withdrawals)
      assert.deepEqual(await store.withdrawalPage(5, 10), [])
      assert.deepEqual(await store.withdrawals('a\u0000b'), [])
      assert.equal(await consistentFrom(store, note), 5)
      const entries = await store.tree.entries(0, 10)
      assert.deepEqual(
        entries.map(({ kind, cid }) => [kind, cid.toString()]),
        [
          ...[a.operation, second, theft, after].map((one) => ['operation', cidText(one)]),
          ['withdrawal', notice.cid],
        ],
      )
      assert.equal((await take(store, a.did, rename(second, 'a4'))).seq, 6)
      assert.equal(await consistentFrom(store, note), 6)
    },
  )

  contractTest(
    '[PLC-33] a second notice about a DID; the same operation may be taken again where only its time was wrong',
    async ({ open }) => {
      await using store = await open({ now: () => 1000, growTree })
      const a = genesisOf('a')
      const second = rename(a.operation, 'a2')
      await take(store, a.did, a.operation)
      await store.commit(a.did, () => ({
        kind: 'accept',
        verdict: {
          entry: {
            operation: second,
            cid: operationCid(second),
            createdAt: 500,
            signer: 1,
            nullified: false,
          },
          nullified: [],
        },
      }))
      const first = await store.withdraw({ did: a.did, cid: cidText(second), reason: 'too early' })
      assert.deepEqual([first.seq, first.operations[0]!.rule], [3, 'InvalidTime'])
      assert.equal((await take(store, a.did, second)).seq, 4)
      const theft = forged(rename(second, 'stolen'), a)
      await takeLaxly(store, a.did, theft)
      const again = await store.withdraw({ did: a.did, cid: cidText(theft), reason: 'nobody signed it' })
      assert.equal(again.seq, 6)
      assert.deepEqual(seqs(await store.operations(a.did)), [1, 4])
      assert.deepEqual(
        (await store.withdrawals(a.did)).map(({ seq, operations }) => [
          seq,
          operations.map((one) => one.seq),
        ]),
        [
          [3, [2]],
          [6, [5]],
        ],
      )
      assert.equal(await consistentFrom(store), 6)
    },
  )

  contractTest(
    '[PLC-33] a withdrawal that fails leaves everything as it was',
    async ({ open, failAt, heal }) => {
      await using store = await open({ now, growTree })
      const a = genesisOf('a')
      const theft = forged(rename(a.operation, 'stolen'), a)
      await take(store, a.did, a.operation)
      await takeLaxly(store, a.did, theft)
      const before = await store.tree.checkpoint()
      const notice = { did: a.did, cid: cidText(theft), reason: 'nobody signed it' }
      await failAt(3, 'disk full')
      await assert.rejects(store.withdraw(notice), /disk full/)
      assert.deepEqual(await store.withdrawals(a.did), [])
      assert.deepEqual(seqs(await store.operations(a.did)), [1, 2])
      assert.deepEqual(await store.tree.checkpoint(), before)
      await heal()
      assert.equal((await store.withdraw(notice)).seq, 3)
      assert.equal(await consistentFrom(store, before!.note), 3)
    },
  )

  contractTest(
    '[PLC-33] a replica follows a notice about what it never took, and keeps what it was told; not one about what is valid',
    async ({ open }) => {
      await using store = await open({ now, growTree, isReplica: true })
      const a = genesisOf('a')
      const theft = forged(rename(a.operation, 'stolen'), a)
      const base = { did: a.did, reason: 'nobody signed it' }
      const told = [
        {
          ...{ seq: 3, did: a.did, cid: cidText(theft), json: JSON.stringify(theft), nullified: false },
          ...{ createdAt: 3, rule: 'InvalidSignature' as const, fault: 'as the upstream tells' },
        },
      ]
      const legitimate = { ...base, seq: 7, createdAt: 7, cid: cidText(theft), told }
      const wrong = { ...base, seq: 8, createdAt: 8, cid: cidText(a.operation), told: [] }
      const outcomes = await store.replay(
        [replayed(a, a.operation, 2), replayed(a, theft, 3), legitimate, wrong],
        judge,
      )
      assert.deepEqual(
        outcomes.map(({ kind }) => kind),
        ['accepted', 'refused', 'withdrawn', 'refused'],
      )
      assert.deepEqual(
        seqs(await store.operations(a.did)),
        [2],
        'the valid one stays, whoever says otherwise',
      )
      assert.deepEqual(
        (await store.withdrawals(a.did)).map(({ seq, operations }) => [seq, operations]),
        [[7, told]],
      )
      assert.deepEqual(
        (await store.evidence({ after: 0, limit: 10 })).map(({ seq }) => seq),
        [3, 8],
      )
      assert.deepEqual(
        (await store.tree.entries(0, 10)).map(({ kind, upstreamSeq }) => [kind, upstreamSeq]),
        [
          ['operation', 2],
          ['withdrawal', 7],
        ],
      )
      assert.equal(await consistentFrom(store), 2)
      assert.deepEqual(
        (await store.replay([legitimate], judge)).map(({ kind }) => kind),
        ['known'],
      )
    },
  )

  contractTest(
    '[PLC-33] an auditor sets aside what may not stand, and a notice explains it, after a restart too',
    async ({ open }) => {
      const a = genesisOf('a')
      const theft = forged(rename(a.operation, 'stolen'), a)
      const notice = { did: a.did, reason: 'x', seq: 3, createdAt: 3, cid: cidText(theft), told: [] }
      {
        await using store = await open({ now, growTree })
        await store.replay([replayed(a, a.operation, 1), replayed(a, theft, 2)], judge, 'setAside')
        assert.deepEqual(
          (await store.unexplained(10)).map(({ seq, rule }) => [seq, rule]),
          [[2, 'InvalidSignature']],
        )
        assert.equal(await consistentFrom(store), 2)
      }
      await using store = await open({ now, growTree })
      const wrong = await store.replay([{ ...notice, cid: cidText(a.operation) }], judge, 'setAside')
      const nobody = await store.replay([{ ...notice, did: genesisOf('b').did }], judge, 'setAside')
      assert.deepEqual(
        [...wrong, ...nobody].map(({ kind }) => kind),
        ['refused', 'refused'],
      )
      assert.equal(await consistentFrom(store), 2)
      const right = await store.replay([notice], judge, 'setAside')
      assert.equal(right[0]!.kind, 'withdrawn')
      assert.deepEqual(await store.unexplained(10), [])
      assert.deepEqual(
        (await store.withdrawals(a.did))[0]!.operations.map(({ seq }) => seq),
        [2],
      )
      assert.equal(await consistentFrom(store), 3)
    },
  )

  contractTest('how many logs are kept in memory changes nothing', async ({ open }) => {
    await using store = await open({ now, cachedLogs: 1 })
    const people = ['a', 'b', 'c'].map(genesisOf)
    const heads = new Map(people.map(({ did, operation }) => [did, operation]))
    for (const { did, operation } of people) await take(store, did, operation)
    for (let round = 0; round < 3; round++)
      await Promise.all(
        [...heads].map(([did, last]) => {
          const next = rename(last, `${round}`)
          heads.set(did, next)
          return take(store, did, next)
        }),
      )
    assert.equal((await store.latest())!.seq, 12)
    for (const [did, operation] of heads)
      assert.equal((await store.head(did))!.cid, operationCid(operation).toString())
  })
}

/**
 * The store's log is what its entries make it, and continues an older checkpoint.
 * @returns its size.
 */
async function consistentFrom(store: PlcStore, older?: string): Promise<number> {
  const { tree } = store
  const { checkpoint } = parseCheckpoint((await tree.checkpoint())!.note)
  const { size, root } = checkpoint
  const entries = await tree.entries(0, size + 1)
  assert.equal(entries.length, size)
  const notices = await store.withdrawalPage(0, size)
  const numbered = [
    ...(await store.page({ seq: 0 }, size + 1)),
    ...(await store.unexplained(size)),
    ...notices,
  ]
  // What a replica was told of, and never took, has no entry.
  const taken = notices.flatMap(({ operations }) => operations).filter(({ fault }) => !/upstream/.test(fault))
  assert.deepEqual(
    entries.map(({ cid }) => cid.toString()),
    [...numbered, ...taken].sort((x, y) => x.seq - y.seq).map(({ cid }) => cid),
  )
  const leaves = await tree.hashes(0, 0, size + 1)
  for (const [i, entry] of entries.entries())
    assert.deepEqual(hashLeaf(encodeLogEntry(entry)), leaves.slice(32 * i, 32 * (i + 1)))
  const read = <T>(compute: Parameters<typeof withTiles<T>>[2]) =>
    withTiles(size, ({ level, index, width }) => tree.hashes(level, index * 256, width), compute)
  assert.deepEqual(await read((source) => treeRoot(source, size)), root)
  if (older !== undefined) {
    const before = parseCheckpoint(older).checkpoint
    verifyConsistency(await read((source) => proveConsistency(source, before.size, size)), before, checkpoint)
  }
  return size
}
