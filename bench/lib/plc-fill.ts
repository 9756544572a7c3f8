// Fills the data folder of a directory with accounts that nobody has signed for: `node plc-fill.ts --folder F --dids N`.
// Through the directory's own store, with its transparency log; the same every time.
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { judgeOperation, type Operation } from '@imago/identity/plc'
import { createPlc } from '@imago/plc'
import { readOrCreateSecret } from '@imago/service'
import { createRandom } from '@imago/sim/random'
import {
  createKeys,
  type Genesis,
  unverifiableGenesis,
  unverifiableUpdate,
} from '../inputs/plc-operations.ts'

const { values } = parseArgs({ options: { folder: { type: 'string' }, dids: { type: 'string' } } })
const dids = Number(values.dids)
const BATCH = 5000
/** Of so many accounts one has changed its handle. */
const CHANGED_OF = 5
const SEED = 13
const SINCE = Date.UTC(2026, 0, 1)

await using plc = await createPlc({
  databaseFile: join(values.folder!, 'plc.sqlite'),
  transparency: {
    origin: 'bench.example/log',
    seed: readOrCreateSecret(join(values.folder!, 'log.seed')),
    checkpointFile: join(values.folder!, 'log.checkpoint'),
  },
})
const random = createRandom(SEED)
const keys = createKeys(random)
let seq = 0
const taken = (did: Genesis['did'], operation: Operation) => ({
  did,
  operation,
  seq: ++seq,
  createdAt: SINCE + seq,
})
for (let made = 0; made < dids; ) {
  const batch = []
  for (; made < dids && batch.length < BATCH; made++) {
    const { did, operation } = unverifiableGenesis(random, random.pick(keys.k256), keys)
    batch.push(taken(did, operation))
    if (made % CHANGED_OF === 0) batch.push(taken(did, unverifiableUpdate(random, operation)))
  }
  await plc.store.replay(batch, (log, { operation, createdAt }) =>
    judgeOperation(log, operation, createdAt, () => 0),
  )
}
console.log(JSON.stringify({ operations: seq }))
