import assert from 'node:assert/strict'
import { operationCid } from '@imago/identity/plc'
import {
  type ContractTest,
  cidText,
  consistentFrom,
  forged,
  genesisOf,
  growTree,
  judge,
  now,
  rename,
  replayed,
  seqs,
  strong,
  take,
  takeLaxly,
} from './plc-store.fixture.ts'

/** What may not stand is set aside by a notice, here and in those who follow. */
export function withdrawalContract(contractTest: ContractTest): void {
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
}
