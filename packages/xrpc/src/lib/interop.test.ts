import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import test from 'node:test'
import { Client as AtcuteClient, simpleFetchHandler } from '@atcute/client'
import { AtpAgent } from '@atproto/api'
import { cidOfRaw, type DataMap } from '@imago/data'
import { createCatalog, type LexiconDocument, parseLexiconDocument } from '@imago/lexicon'
import { method } from './method.ts'
import { invalidRequest } from './xrpc-error.ts'
import { createXrpcServer } from './xrpc-server.ts'

/* Clients that people already have, against our server. */

function lexicon(name: string): LexiconDocument {
  const url = new URL(`../../../../lexicons/com/atproto/repo/${name}.json`, import.meta.url)
  return parseLexiconDocument(JSON.parse(readFileSync(url, 'utf8')))
}

const catalog = createCatalog(['defs', 'strongRef', 'getRecord', 'createRecord', 'uploadBlob'].map(lexicon))
const blob = cidOfRaw(new Uint8Array([1, 2, 3]))
const uri = 'at://did:web:alice.test/com.example.note/3jzfcijpj2z2a'

const server = createXrpcServer({
  checkOutput: true,
  onUnexpectedError: (error) => {
    throw error
  },
  methods: [
    method(catalog.query('com.atproto.repo.getRecord')!, ({ params }) => {
      const { rkey } = params as { rkey: string }
      if (rkey === 'absent') throw invalidRequest(`Could not locate record: ${rkey}`, 'RecordNotFound')
      return { uri, cid: String(blob), value: { $type: 'com.example.note', picture: blob } }
    }),
    method(catalog.procedure('com.atproto.repo.createRecord')!, ({ input }) => {
      const { record } = input as { record: DataMap }
      assert.deepEqual(record['picture'], blob)
      return { uri, cid: String(blob), commit: undefined } as never
    }),
    method(catalog.procedure('com.atproto.repo.uploadBlob')!, async ({ input }) => {
      const { encoding, body } = input as unknown as { encoding: string; body: ReadableStream<Uint8Array> }
      const { size } = await new Response(body).blob()
      return { blob: { $type: 'blob', ref: blob, mimeType: encoding, size } }
    }),
  ],
})

const serve: typeof fetch = (input, init) =>
  server.fetch(new Request(input as string, { ...init, duplex: 'half' } as RequestInit))

const repo = 'did:web:alice.test'
const collection = 'com.example.note'

test('@atproto/api reads, writes, uploads, and understands errors', async () => {
  const agent = new AtpAgent({ service: 'https://host.test', fetch: serve })
  const { data } = await agent.com.atproto.repo.getRecord({ repo, collection, rkey: '3jzfcijpj2z2a' })
  assert.equal(data.uri, uri)
  assert.equal(String(data.value['picture']), String(blob))

  await assert.rejects(agent.com.atproto.repo.getRecord({ repo, collection, rkey: 'absent' }), {
    status: 400,
    error: 'RecordNotFound',
    message: 'Could not locate record: absent',
  })

  const record = { $type: collection, picture: { $link: String(blob) } }
  const created = await agent.com.atproto.repo.createRecord({ repo, collection, record })
  assert.equal(created.data.uri, uri)

  const uploaded = await agent.com.atproto.repo.uploadBlob(new Uint8Array([1, 2, 3]), {
    encoding: 'image/png',
  })
  assert.deepEqual([uploaded.data.blob.mimeType, uploaded.data.blob.size], ['image/png', 3])
})

test('@atcute/client reads, and understands errors', async () => {
  const client = new AtcuteClient({
    handler: simpleFetchHandler({ service: 'https://host.test', fetch: serve }),
  })
  const get = (rkey: string) =>
    client.get(
      'com.atproto.repo.getRecord' as never,
      { params: { repo, collection, rkey } } as never,
    ) as Promise<{
      ok: boolean
      status: number
      data: Record<string, unknown>
    }>
  const found = await get('3jzfcijpj2z2a')
  assert.deepEqual([found.ok, found.data['uri']], [true, uri])
  const absent = await get('absent')
  assert.deepEqual([absent.status, absent.data['error']], [400, 'RecordNotFound'])
})
