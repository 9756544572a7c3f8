import assert from 'node:assert/strict'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import test from 'node:test'
import { generateKeypair, multikeyOf } from '@imago/crypto'
import type { DidWebAlarm } from '@imago/identity'
import { createManualClock } from '@imago/sim/clock'
import type { Did } from '@imago/syntax'
import { createPdsDirectory } from '../src/index.ts'
import { openTestPds } from './test-pds.ts'

const DAY_MS = 24 * 3_600_000
const did: Did = 'did:web:alice.test'

const documentOf = ({ publicKey }: ReturnType<typeof generateKeypair>, pds = 'https://pds.test') => ({
  id: did,
  alsoKnownAs: ['at://alice.test'],
  verificationMethod: [{ id: '#atproto', type: 'Multikey', publicKeyMultibase: multikeyOf(publicKey) }],
  service: [{ id: '#atproto_pds', type: 'AtprotoPersonalDataServer', serviceEndpoint: pds }],
})

/** The host of alice.test, which says what a test wants it to, and a data directory that outlives its servers. */
function world() {
  const clock = createManualClock()
  const folder = mkdtempSync(join(tmpdir(), 'imago-did-web-'))
  const alarms: DidWebAlarm[] = []
  const host = { answer: (): Response => Response.error() }
  const fetch = Object.assign(async () => host.answer(), { close: async () => {} })
  return {
    clock,
    host,
    alarms,
    /** What a server says of the DID that has just been started on the directory, and is ended after it. */
    async resolveAnew(): Promise<{ status: number; error?: string; didDoc?: unknown }> {
      await using directory = createPdsDirectory({
        plcUrl: 'https://plc.test',
        now: clock.now,
        fetch,
        onAlarm: (_, alarm) => void alarms.push(alarm),
      })
      await using pds = await openTestPds({ folder, clock, ports: { directory } })
      const { status, body } = await pds.query('com.atproto.identity.resolveDid', { params: { did } })
      return { status, ...body }
    },
    [Symbol.dispose]: () => rmSync(folder, { recursive: true }),
  }
}

test('[I2] a restart remembers a did:web, and raises the alarm when its key and server are others', async () => {
  using at = world()
  const [old, stolen] = [generateKeypair('k256'), generateKeypair('p256')]
  at.host.answer = () => Response.json(documentOf(old))
  assert.deepEqual(await at.resolveAnew(), { status: 200, didDoc: documentOf(old) })
  assert.deepEqual(await at.resolveAnew(), { status: 200, didDoc: documentOf(old) })
  assert.deepEqual(at.alarms, [])
  at.host.answer = () => Response.json(documentOf(stolen, 'https://evil.test'))
  assert.equal((await at.resolveAnew()).status, 200)
  const expected = [
    { kind: 'signingKey', before: old.didKey, after: stolen.didKey },
    { kind: 'pds', before: 'https://pds.test', after: 'https://evil.test' },
  ]
  assert.deepEqual(at.alarms, expected)
  await at.resolveAnew()
  assert.deepEqual(at.alarms, expected, 'once')
})

test('[I2] after a restart the last good document stands in for a host that does not answer, for a week', async () => {
  using at = world()
  const keypair = generateKeypair('k256')
  at.host.answer = () => Response.json(documentOf(keypair))
  await at.resolveAnew()
  at.host.answer = () => new Response('', { status: 503 })
  at.clock.advance(7 * DAY_MS - 1)
  assert.deepEqual(await at.resolveAnew(), { status: 200, didDoc: documentOf(keypair) })
  at.clock.advance(1)
  assert.equal((await at.resolveAnew()).status, 502)
  assert.deepEqual(at.alarms, [])
  at.host.answer = () => new Response('', { status: 404 })
  assert.equal((await at.resolveAnew()).error, 'DidNotFound')
  assert.deepEqual(
    at.alarms.map(({ kind }) => kind),
    ['lost'],
  )
})
