import assert from 'node:assert/strict'
import { judgeOperation, operationCid, type PlcOperation, tombstoneOperation } from '@imago/identity/plc'
import {
  type ContractTest,
  consistentFrom,
  genesisOf,
  growTree,
  judge,
  now,
  rename,
  replayed,
  seqs,
  strong,
  take,
  weak,
} from './plc-store.fixture.ts'

/** What is committed has its place and time, is judged once, and is all there or not at all. */
export function commitContract(contractTest: ContractTest): void {
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
