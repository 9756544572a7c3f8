import assert from 'node:assert/strict'
import test from 'node:test'
import { generateKeypair, type Keypair } from '@imago/crypto'
import { BlockMap, type DataMap, encode, fromJson, writeCar } from '@imago/data'
import { type DidIdentity, IdentityError, type ResolveTxt } from '@imago/identity'
import { recordProof, writeCommit } from '@imago/repo'
import { createManualClock } from '@imago/sim/clock'
import type { Did, Nsid } from '@imago/syntax'
import { createLexiconResolver, LexiconResolutionError } from './lexicon-resolver.ts'

const COLLECTION = 'com.atproto.lexicon.schema'
const NOTE: Nsid = 'com.example.note'
const DEFS: Nsid = 'com.example.defs'
const publisher: Did = 'did:plc:publisher'

const document = (id: Nsid, defs: object): DataMap =>
  fromJson({ $type: COLLECTION, lexicon: 1, id, defs }) as DataMap
const note = document(NOTE, {
  main: {
    type: 'record',
    key: 'tid',
    record: { type: 'object', properties: { tag: { type: 'ref', ref: `${DEFS}#tag` } } },
  },
})
const defs = document(DEFS, { tag: { type: 'string', maxLength: 3 } })

/** A publisher with a repository, and the ways to it; each can be broken. */
function setUp(records: Record<Nsid, DataMap> = { [NOTE]: note, [DEFS]: defs }) {
  const clock = createManualClock()
  const keypair = generateKeypair('k256')
  const world = {
    txt: (async () => [[`did=${publisher}`]]) as ResolveTxt,
    identity: async () => identityOf(keypair),
    respond: (url: URL): Response => new Response(proofOf(keypair, records, url.searchParams.get('rkey')!)),
    requests: [] as string[],
  }
  const lexicons = createLexiconResolver({
    resolveTxt: (name) => world.txt(name),
    directory: { resolveDid: () => world.identity() },
    fetch: async (input) => {
      const url = new URL(String(input))
      world.requests.push(url.searchParams.get('rkey')!)
      return world.respond(url)
    },
    now: clock.now,
  })
  return { clock, world, lexicons, records }
}

const identityOf = (keypair: Keypair): DidIdentity => ({
  did: publisher,
  document: { id: publisher },
  data: { did: publisher },
  signingKey: keypair.publicKey,
  pds: 'https://pds.example.com',
})

function proofOf(keypair: Keypair, records: Record<string, DataMap>, rkey: string): Uint8Array<ArrayBuffer> {
  const blocks = new BlockMap()
  const writes = Object.entries(records).map(([key, record]) => {
    const bytes = encode(record)
    const cid = blocks.add(bytes)
    return { action: 'create' as const, path: `${COLLECTION}/${key}`, block: { cid, bytes } }
  })
  const rev = '3kzzzzzzzzz2a'
  const { signed, newBlocks } = writeCommit({
    did: publisher,
    source: blocks,
    head: null,
    writes,
    rev,
    keypair,
  })
  return writeCar(
    [signed.cid],
    recordProof(newBlocks, signed.cid, `${COLLECTION}/${rkey}`),
  ) as Uint8Array<ArrayBuffer>
}

const code = (expected: LexiconResolutionError['code']) => (error: unknown) =>
  error instanceof LexiconResolutionError && error.code === expected

test('[P4] [R1] a schema is found by DNS, DID and a proof, together with what it refers to', async () => {
  const { world, lexicons } = setUp()
  const schema = await lexicons.record(NOTE)
  assert.ok(schema.validate({ $type: NOTE, tag: 'abc' }).ok)
  assert.ok(!schema.validate({ $type: NOTE, tag: 'abcd' }).ok)
  assert.deepEqual(world.requests, [NOTE, DEFS])
  const { did, document: found } = await lexicons.resolve(NOTE)
  assert.deepEqual([did, found.id], [publisher, NOTE])
})

test('[R1] what was found is not asked for again within the hour, by however many at once', async () => {
  const { clock, world, lexicons } = setUp()
  await Promise.all([lexicons.record(NOTE), lexicons.record(NOTE), lexicons.resolve(NOTE)])
  clock.advance(3_599_000)
  await lexicons.record(NOTE)
  assert.deepEqual(world.requests, [NOTE, DEFS])
  clock.advance(1001)
  await lexicons.record(NOTE)
  assert.deepEqual(world.requests, [NOTE, DEFS, NOTE, DEFS])
})

test('[R1] that there is no schema is remembered for five minutes; that nobody answered, for seconds', async () => {
  const { clock, world, lexicons, records } = setUp({})
  await assert.rejects(lexicons.resolve(NOTE), code('NotFound'))
  records[NOTE] = note
  clock.advance(299_000)
  await assert.rejects(lexicons.resolve(NOTE), code('NotFound'))
  clock.advance(1001)
  assert.equal((await lexicons.resolve(NOTE)).document.id, NOTE)
  assert.equal(world.requests.length, 2)

  const { respond } = world
  world.respond = () => new Response(null, { status: 503 })
  await assert.rejects(lexicons.resolve(DEFS), code('Unavailable'))
  world.respond = respond
  records[DEFS] = defs
  await assert.rejects(lexicons.resolve(DEFS), code('Unavailable'))
  clock.advance(10_001)
  assert.equal((await lexicons.resolve(DEFS)).document.id, DEFS)
})

test('[R1] nothing that the publisher has not signed counts', async () => {
  const stranger = generateKeypair('k256')
  const { world, lexicons, clock } = setUp()
  const broken: [string, () => void, LexiconResolutionError['code']][] = [
    [
      'signed by somebody else',
      () => (world.respond = () => new Response(proofOf(stranger, { [NOTE]: note }, NOTE))),
      'NotFound',
    ],
    ['no proof', () => (world.respond = () => new Response('hello')), 'NotFound'],
    ['not there', () => (world.respond = () => new Response(null, { status: 400 })), 'NotFound'],
    [
      'out of reach',
      () =>
        (world.respond = () => {
          throw new TypeError('fetch failed')
        }),
      'Unavailable',
    ],
    [
      'no host',
      () => (world.identity = async () => ({ ...identityOf(stranger), pds: undefined }) as never),
      'NotFound',
    ],
    [
      'no document',
      () =>
        (world.identity = async () => {
          throw new IdentityError('Unavailable', 'no answer')
        }),
      'Unavailable',
    ],
    ['two publishers', () => (world.txt = async () => [['did=did:plc:a'], ['did=did:plc:b']]), 'NotFound'],
    [
      'no name',
      () =>
        (world.txt = async () => {
          throw Object.assign(new Error('no'), { code: 'ENOTFOUND' })
        }),
      'NotFound',
    ],
    [
      'no name server',
      () =>
        (world.txt = async () => {
          throw Object.assign(new Error('no'), { code: 'ETIMEOUT' })
        }),
      'Unavailable',
    ],
  ]
  for (const [what, breakIt, expected] of broken) {
    breakIt()
    clock.advance(400_000)
    await assert.rejects(lexicons.record(NOTE), code(expected), what)
  }
})

test('[R1] a record that is no schema of that name, or no record type, is refused', async () => {
  for (const records of [
    { [NOTE]: { ...note, id: 'com.example.other' } },
    { [NOTE]: { ...note, $type: 'com.example.other' } },
    { [NOTE]: document(NOTE, { thing: { type: 'string' } }) },
    { [NOTE]: note },
  ])
    await assert.rejects(setUp(records as Record<Nsid, DataMap>).lexicons.record(NOTE), code('NotFound'))
})

test('[R1] a schema that leads on without end is given up', async () => {
  const chain: Record<Nsid, DataMap> = {}
  for (let i = 0; i < 70; i++)
    chain[`com.example.n${i}`] = document(`com.example.n${i}`, {
      main: {
        type: 'record',
        key: 'any',
        record: { type: 'object', properties: { next: { type: 'ref', ref: `com.example.n${i + 1}` } } },
      },
    })
  const { world, lexicons } = setUp(chain)
  await assert.rejects(lexicons.record('com.example.n0'), /more than 64 documents/)
  assert.equal(world.requests.length, 64)
})
