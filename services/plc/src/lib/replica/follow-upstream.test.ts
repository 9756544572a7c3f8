import assert from 'node:assert/strict'
import test from 'node:test'
import { setImmediate as nextTurn } from 'node:timers/promises'
import { generateKeypair } from '@imago/crypto'
import { createGenesis } from '@imago/identity/plc'
import { createPlc } from '../create-plc.ts'
import { sequencedEntry } from '../http/operation-json.ts'
import { openSqlitePlcStore } from '../store/sqlite-plc-store.ts'
import { type Following, followUpstream } from './follow-upstream.ts'
import { localSignatures } from './signature-pool.ts'
import { StreamEnd, type Upstream } from './upstream.ts'

const keypair = generateKeypair('k256')

const quietly = {
  snapshot: { announced: async () => undefined } as never,
  logKey: undefined,
  pool: localSignatures,
  now: Date.now,
  onUnvouched() {},
  onBundle() {},
  onTrouble() {},
  onEvidence: (counts: object) => assert.fail(JSON.stringify(counts)),
}

/** As a directory tells them. */
async function linesOf(count: number): Promise<string[]> {
  await using plc = await createPlc({ databaseFile: ':memory:', writeLimits: false })
  const data = { rotationKeys: [keypair.didKey], verificationMethods: {}, services: {} }
  const headers = { 'content-type': 'application/json' }
  await Promise.all(
    Array.from({ length: count }, (_, i) => {
      const { did, operation } = createGenesis({ ...data, alsoKnownAs: [`n${i}`] }, keypair)
      const body = JSON.stringify(operation)
      return plc.fetch(new Request(`http://plc/${did}`, { method: 'POST', headers, body }))
    }),
  )
  const operations = await plc.store.page({ seq: 0 }, count)
  assert.equal(operations.length, count)
  return operations.map(sequencedEntry)
}

test('[PLC-30] a replica that fell behind by more than a page is not caught up until it has read what it missed', async () => {
  const told = await linesOf(1001)
  let here = 1
  const asked: (readonly [what: string, isCaughtUp: boolean])[] = []
  const { promise: readAgain, resolve } = Promise.withResolvers<void>()
  const follow: { ing?: Following } = {}
  const note = (what: string) => asked.push([what, follow.ing?.state.isCaughtUp ?? false])
  const upstream: Upstream = {
    url: 'https://plc.test',
    async page(after) {
      note(`page ${after}`)
      return told.slice(Number(after), here)
    },
    async *stream(cursor, signal) {
      note(`stream ${cursor}`)
      if (here > 1) {
        resolve()
        await new Promise((ended) => signal.addEventListener('abort', ended))
        return
      }
      here = told.length
      throw new StreamEnd('https://plc.test', 'OutdatedCursor')
    },
  }
  await using store = openSqlitePlcStore({ databaseFile: ':memory:', now: Date.now, isReplica: true })
  await using following = followUpstream({ ...quietly, store, upstream })
  follow.ing = following
  await readAgain
  assert.deepEqual(asked, [
    ['page 0', false],
    ['stream 1', true],
    ['page 1', true],
    ['page 1001', false],
    ['stream 1001', true],
  ])
})

test('an upstream whose stream always begins too late is not asked again without a pause', async () => {
  let asked = 0
  const upstream: Upstream = {
    url: 'https://plc.test',
    async page() {
      asked++
      return []
    },
    // biome-ignore lint/correctness/useYield: it ends before anything comes
    async *stream() {
      throw new StreamEnd('https://plc.test', 'OutdatedCursor')
    },
  }
  await using store = openSqlitePlcStore({ databaseFile: ':memory:', now: Date.now, isReplica: true })
  await using following = followUpstream({ ...quietly, store, upstream })
  for (let turns = 0; turns < 100 && following.state.mode !== 'waiting'; turns++) await nextTurn()
  assert.deepEqual([asked, following.state.mode], [1, 'waiting'])
})
