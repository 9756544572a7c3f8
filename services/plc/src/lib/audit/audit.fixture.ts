import assert from 'node:assert/strict'
import { generateKeypair } from '@imago/crypto'
import { createGenesis, type PlcOperation, updateOperation } from '@imago/identity/plc'
import { createRandom } from '@imago/sim/random'
import { parseTrustPolicy } from '@imago/tlog'
import { createPlc, type Plc } from '../create-plc.ts'
import { createDurableMemory } from '../durable-file.ts'
import { openSqlitePlcStore } from '../store/sqlite-plc-store.ts'
import { deriveLogKeys } from '../transparency/log-keys.ts'
import { createGrowTree, growUnsigned } from '../transparency/tree-growth.ts'
import { type AuditOptions, audit } from './audit.ts'
import { type AlarmCode, AuditAlarm } from './audit-alarm.ts'
import { createDirectoryClient } from './directory-client.ts'
import { evidenceOf, judgeEvidence } from './evidence.ts'

export const origin = 'plc.test/log'
const seed = new Uint8Array(32).fill(7)
export const keys = deriveLogKeys(origin, seed, Date.now)
export const growTree = createGrowTree(origin, keys.ed25519)
/** Believes the log of {@link openDirectory}, and needs no witness. */
export const policy = parseTrustPolicy(`log ${keys.ed25519.verifier.vkey}\nquorum none\n`)

/** The owner may undo within 72 hours what the host did. */
export const [owner, host] = [generateKeypair('k256'), generateKeypair('p256')]

export const genesisOf = (name: string, keys = [owner, host]) =>
  createGenesis(
    {
      rotationKeys: keys.map(({ didKey }) => didKey),
      verificationMethods: {},
      alsoKnownAs: [name],
      services: {},
    },
    keys.at(-1)!,
  )

/** A change that nobody signed: the signature is that of the operation before it. */
export const forgedUpdate = (last: PlcOperation, name: string): PlcOperation => ({
  ...updateOperation(last, { alsoKnownAs: [name] }, host),
  sig: last.sig,
})

/** A directory that keeps the log which {@link policy} believes. */
export const openDirectory = (databaseFile = ':memory:') =>
  createPlc({ databaseFile, transparency: { origin, seed }, writeLimits: false })

/** What is told instead of a body; `undefined` to tell the truth. Paths have no slash in front, and their query. */
export type Tamper = (path: string, body: Uint8Array) => Uint8Array | string | undefined

/** An auditor of whatever directory it is pointed at, and what may lie in between. */
export function createAuditor(options: Partial<AuditOptions> = {}) {
  const store = openSqlitePlcStore({ databaseFile: ':memory:', now: Date.now, growTree: growUnsigned })
  const state = createDurableMemory()
  return {
    state,
    async run(plc: Plc, tamper: Tamper = () => undefined) {
      await plc.transparencyLog!.publish()
      const fetch = async (input: string | URL | Request) => {
        const url = new URL(String(input))
        const response = await plc.fetch(new Request(url))
        const body = new Uint8Array(await response.arrayBuffer())
        const changed = tamper(url.pathname.slice(1) + url.search, body)
        if (changed === undefined) return new Response(body, { status: response.status })
        return new Response(changed as Uint8Array<ArrayBuffer> | string)
      }
      return await audit({
        client: createDirectoryClient('http://plc', fetch as typeof globalThis.fetch),
        policy,
        store,
        state,
        now: Date.now,
        randomInt: createRandom(1).int,
        ...options,
      })
    },
    [Symbol.asyncDispose]: () => store[Symbol.asyncDispose](),
  }
}

/** The alarm that an audit ends with, which has to be this one. */
export async function alarmOf(code: AlarmCode, run: Promise<unknown>): Promise<AuditAlarm> {
  const error = await run.then(
    () => assert.fail(`no alarm, and ${code} was expected`),
    (thrown) => thrown,
  )
  assert.ok(error instanceof AuditAlarm, String(error))
  assert.equal(error.code, code, error.message)
  return error
}

/** What somebody makes of an alarm's evidence who has read it from a file. */
export const judged = (alarm: AuditAlarm) =>
  judgeEvidence(JSON.parse(JSON.stringify(evidenceOf(alarm, 'http://plc', 0))), policy)
