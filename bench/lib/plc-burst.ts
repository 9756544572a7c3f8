// A directory that takes thousands of operations at one stroke, whenever enough listeners follow its stream:
//
//   node plc-burst.ts --port N --listeners N --lines N --out FILE
//
// Appends a JSON line to the file each time that all of them have left, which they do when they have everything.
import { appendFileSync } from 'node:fs'
import { setTimeout as sleep } from 'node:timers/promises'
import { parseArgs } from 'node:util'
import { judgeOperation } from '@imago/identity/plc'
import { createPlc } from '@imago/plc'
import { serve } from '@imago/service'
import { createRandom } from '@imago/sim/random'
import { createKeys, unverifiableGenesis } from '../inputs/plc-operations.ts'

const { values } = parseArgs({
  options: {
    port: { type: 'string' },
    listeners: { type: 'string' },
    lines: { type: 'string' },
    out: { type: 'string' },
  },
})
const listeners = Number(values.listeners)
const lines = Number(values.lines)
const SEED = 11

await using plc = await createPlc({ databaseFile: ':memory:' })
await using server = await serve({
  fetch: plc.fetch,
  answer: plc.answer,
  upgrade: plc.upgrade,
  hostname: '127.0.0.1',
  port: Number(values.port),
})
const random = createRandom(SEED)
const keys = createKeys(random)
console.log('ready')
for (let seq = 1; ; seq += lines) {
  const createdAt = Date.now()
  const batch = Array.from({ length: lines }, (_, i) => ({
    ...unverifiableGenesis(random, random.pick(keys.k256), keys),
    seq: seq + i,
    createdAt,
  }))
  while (server.webSockets < listeners) await sleep(10)
  const before = process.cpuUsage()
  const startedAt = performance.now()
  await plc.store.replay(batch, (log, { operation }) => judgeOperation(log, operation, createdAt, () => 0))
  const committedMs = performance.now() - startedAt
  while (server.webSockets > 0) await sleep(1)
  const { user, system } = process.cpuUsage(before)
  const seconds = (performance.now() - startedAt) / 1000
  appendFileSync(
    values.out!,
    `${JSON.stringify({ seconds, cpuSeconds: (user + system) / 1e6, committedMs })}\n`,
  )
}
