import assert from 'node:assert/strict'
import {
  type ContractTest,
  consistentFrom,
  genesisOf,
  growTree,
  now,
  rename,
  take,
} from './plc-store.fixture.ts'

/** The transparency log has one entry for each operation, and continues what it told before. */
export function treeContract(contractTest: ContractTest): void {
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
}
