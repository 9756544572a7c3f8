import assert from 'node:assert/strict'
import { createGenesis, operationCid } from '@imago/identity/plc'
import type { PlcStore } from '../plc-store.ts'
import { type ContractTest, genesisOf, growTree, now, seqs, strong, take } from './plc-store.fixture.ts'

/** What is there can be read: whole, in pages, and as it is announced. */
export function readsContract(contractTest: ContractTest): void {
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
}
