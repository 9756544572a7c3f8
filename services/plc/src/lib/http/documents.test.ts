import assert from 'node:assert/strict'
import test from 'node:test'
import { generateKeypair } from '@imago/crypto'
import { createGenesis, type Operation, updateOperation } from '@imago/identity/plc'
import { serve } from '@imago/service'
import { createPlc } from '../create-plc.ts'

test('[PLC-8] a document that is kept is shown no longer than it holds, whichever way it is asked for', async () => {
  await using plc = await createPlc({ databaseFile: ':memory:' })
  await using server = await serve({
    fetch: plc.fetch,
    answer: plc.answer,
    hostname: '127.0.0.1',
    port: 0,
  })
  const key = generateKeypair('k256')
  const { did, operation: genesis } = createGenesis(
    {
      rotationKeys: [key.didKey],
      verificationMethods: { atproto: key.didKey },
      alsoKnownAs: ['at://a.test'],
      services: {},
    },
    key,
  )
  const submit = async (operation: Operation) => {
    const headers = { 'content-type': 'application/json' }
    const body = JSON.stringify(operation)
    const response = await fetch(`${server.url}/${did}`, { method: 'POST', headers, body })
    assert.deepEqual([response.status, await response.text()], [200, 'OK'])
  }
  const shown = async (path: string) => {
    const response = await fetch(`${server.url}${path}`)
    assert.equal(response.headers.get('access-control-allow-origin'), '*')
    return ((await response.json()) as { alsoKnownAs: string[] }).alsoKnownAs[0]
  }
  const ways = [`/${did}`, `/${did}/data`, `/${did.replaceAll(':', '%3A')}`, `/${did}?minSeq=1`]
  const all = () => Promise.all(ways.map(shown))

  assert.equal((await fetch(`${server.url}/${did}`)).status, 404)
  await submit(genesis)
  assert.deepEqual(new Set(await all()), new Set(['at://a.test']))
  assert.deepEqual(new Set(await all()), new Set(['at://a.test']))
  await submit(updateOperation(genesis, { alsoKnownAs: ['at://b.test'] }, key))
  assert.deepEqual(new Set(await all()), new Set(['at://b.test']))
})
