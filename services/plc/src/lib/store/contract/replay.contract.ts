import assert from 'node:assert/strict'
import { PlcError, type PlcOperation } from '@imago/identity/plc'
import type { PlcStore } from '../plc-store.ts'
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
} from './plc-store.fixture.ts'

/** What another directory took is taken over with its numbers, or kept as evidence. */
export function replayContract(contractTest: ContractTest): void {
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
}
