import assert from 'node:assert/strict'
import test from 'node:test'
import { PlcDidDocumentResolver } from '@atcute/identity-resolver'
import { IdResolver } from '@atproto/identity'
import { DidPlcMethod } from '@atproto-labs/did-resolver'
import { generateKeypair } from '@imago/crypto'
import { createGenesis, type Operation, tombstoneOperation, updateOperation } from '@imago/identity/plc'
import { serve } from '@imago/service'
import { createPlc } from './create-plc.ts'

const owner = generateKeypair('p256')
const { did, operation: genesis } = createGenesis(
  {
    rotationKeys: [owner.didKey],
    verificationMethods: { atproto: owner.didKey },
    alsoKnownAs: ['at://alice.test'],
    services: { atproto_pds: { type: 'AtprotoPersonalDataServer', endpoint: 'https://pds.test' } },
  },
  owner,
)

const submit = (url: string, operation: Operation) =>
  fetch(`${url}/${did}`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(operation),
  })

for (const tombstoneStatus of [410, 404] as const)
  test(`[PLC-40] [PLC-5] resolvers that people have work as they are, and see the end of a DID by ${tombstoneStatus}`, async () => {
    await using plc = await createPlc({ databaseFile: ':memory:', tombstoneStatus })
    await using server = await serve({ fetch: plc.fetch, hostname: '127.0.0.1', port: 0 })
    await submit(server.url, genesis)
    const resolvers: Record<string, () => Promise<{ id: string } | null>> = {
      '@atproto/identity': () => new IdResolver({ plcUrl: server.url, fetch }).did.resolve(did),
      '@atproto-labs/did-resolver': () =>
        new DidPlcMethod({ plcDirectoryUrl: server.url, fetch }).resolve(did),
      '@atcute/identity-resolver': () =>
        new PlcDidDocumentResolver({ apiUrl: server.url }).resolve(did as never) as Promise<{ id: string }>,
    }
    for (const [name, resolve] of Object.entries(resolvers)) assert.equal((await resolve())?.id, did, name)
    assert.equal((await submit(server.url, tombstoneOperation(genesis, owner))).status, 200)
    for (const [name, resolve] of Object.entries(resolvers)) {
      const ended = await resolve().catch((error: Error) => error)
      assert.ok(ended === null || ended instanceof Error, name)
    }
  })

test('64 writers race on one DID over HTTP: one wins, the others learn why not', async () => {
  await using plc = await createPlc({ databaseFile: ':memory:' })
  await using server = await serve({ fetch: plc.fetch, hostname: '127.0.0.1', port: 0 })
  await submit(server.url, genesis)
  const answers = await Promise.all(
    Array.from({ length: 64 }, async (_, i) => {
      const answer = await submit(
        server.url,
        updateOperation(genesis, { alsoKnownAs: [`at://w${i}.test`] }, owner),
      )
      return answer.status === 200
        ? 'OK'
        : `${answer.status} ${((await answer.json()) as { error: string }).error}`
    }),
  )
  assert.deepEqual(
    Object.fromEntries(
      Object.entries(Object.groupBy(answers, (answer) => answer)).map(([answer, all]) => [
        answer,
        all!.length,
      ]),
    ),
    {
      OK: 1,
      '400 StalePrev': 63,
    },
  )
})
