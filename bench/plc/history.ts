import assert from 'node:assert/strict'
import { parseDidKey } from '@imago/crypto'
import { PlcError, parseOperation, signedBytesOf, validateLog } from '@imago/identity/plc'
import { createRandom } from '@imago/sim/random'
import { createKeys, historyOf } from '../inputs/plc-operations.ts'
import type { GroupContext } from '../lib/group.ts'
import { measure, perSecond } from '../lib/measure.ts'
import type { Row } from '../lib/row.ts'
import { openLibsecp256k1 } from '../lib/yardstick.ts'

const SEED = 5
const LOGS = 256
const OPERATIONS = 4
/** Of so many logs one is signed by P-256, as hardware and browsers do, and all others by K-256, as hosts do. */
const P256_OF = 8
const MINUTE_MS = 60_000

/** Whole logs from their JSON, as a replica reads them: form, bytes, hashes, signatures, priorities and times. */
export async function* rows({ quick }: GroupContext): AsyncGenerator<Row> {
  const random = createRandom(SEED)
  const keys = createKeys(random)
  const logs = Array.from({ length: LOGS }, (_, i) => {
    const signer = random.pick(i % P256_OF === 0 ? keys.p256 : keys.k256)
    const { did, operations } = historyOf(random, signer, keys, OPERATIONS)
    return {
      did,
      signer,
      operations,
      lines: operations.map((operation, i) => ({
        json: JSON.stringify(operation),
        createdAt: new Date(i * MINUTE_MS).toISOString(),
      })),
    }
  })
  const validate = ({ did, lines }: Pick<(typeof logs)[number], 'did' | 'lines'>) =>
    validateLog(
      did,
      lines.map(({ json, createdAt }) => ({
        operation: parseOperation(JSON.parse(json), 'replay'),
        createdAt,
      })),
    )
  for (const [i, log] of logs.entries()) {
    assert.equal(validate(log).entries.length, OPERATIONS)
    const foreign = logs[(i + 1) % LOGS]!.lines
    assert.throws(() => validate({ ...log, lines: [log.lines[0]!, foreign[1]!] }), PlcError)
  }
  const signatures = logs.flatMap(({ signer, operations }) => {
    const key = parseDidKey(signer.didKey)
    return operations.map((operation) => ({ key, ...signedBytesOf(operation)! }))
  })
  const library = openLibsecp256k1()
  const figures = measure(
    {
      validate: (i) => validate(logs[i % LOGS]!),
      signature: (i) => {
        const { key, message, signature } = signatures[i % signatures.length]!
        return key.verify(message, signature)
      },
      ...(library && { verify: library.verify }),
    },
    quick ? { runs: 3, runMs: 40, warmUpMs: 120 } : { runs: 15 },
  )
  const { median, spread } = figures.validate
  yield {
    name: 'validate history, 7 of 8 logs K-256, the others P-256',
    unit: '/s',
    ours: perSecond(median / OPERATIONS),
    spread,
    peers: { 'the same signatures alone': perSecond(figures.signature.median) },
    bar: { limit: 15_000 },
    bound: { bar: { timesPeer: 0.65 }, by: 'signatures take four fifths of it (decision 005)' },
    ...(library && { yardstick: library.yardstick(figures.verify!.median) }),
    note: 'operations per second of one core, from JSON',
  }
}
