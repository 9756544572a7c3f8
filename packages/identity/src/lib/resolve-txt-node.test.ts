import assert from 'node:assert/strict'
import { createSocket } from 'node:dgram'
import { once } from 'node:events'
import test from 'node:test'
import type { ResolveTxt } from './dns-handle-method.ts'
import { createTxtResolver } from './resolve-txt-node.ts'

const NO_ERROR = 0
const SERVER_FAILURE = 2
const NAME_ERROR = 3

/** A name server that gives every question the same answer (RFC 1035 §4). */
async function withNameServer(
  answer: { code: number; records?: readonly (readonly string[])[] },
  body: (resolveTxt: ResolveTxt) => Promise<void>,
): Promise<void> {
  const socket = createSocket('udp4')
  socket.on('message', (query, { port }) => {
    const { code, records = [] } = answer
    const endOfQuestion = query.indexOf(0, 12) + 5
    const header = Buffer.from([query[0]!, query[1]!, 0x81, 0x80 | code, 0, 1, 0, records.length, 0, 0, 0, 0])
    const answers = records.map((strings) => {
      const data = Buffer.concat(strings.map((text) => Buffer.from([text.length, ...Buffer.from(text)])))
      // A pointer to the question's name, TXT, IN, a minute to live.
      return Buffer.concat([Buffer.from([0xc0, 12, 0, 16, 0, 1, 0, 0, 0, 60, 0, data.length]), data])
    })
    socket.send(Buffer.concat([header, query.subarray(12, endOfQuestion), ...answers]), port, '127.0.0.1')
  })
  socket.bind(0, '127.0.0.1')
  await once(socket, 'listening')
  try {
    await body(createTxtResolver({ servers: [`127.0.0.1:${socket.address().port}`] }))
  } finally {
    socket.close()
  }
}

test('TXT records come as their character-strings', () =>
  withNameServer({ code: NO_ERROR, records: [['did=did:plc:', 'abc'], ['x']] }, async (resolveTxt) => {
    assert.deepEqual(await resolveTxt('_atproto.example.org'), [['did=did:plc:', 'abc'], ['x']])
  }))

test('a name without records, or that does not exist, has none; a server that fails says nothing', async () => {
  for (const code of [NO_ERROR, NAME_ERROR])
    await withNameServer({ code }, async (resolveTxt) => {
      assert.deepEqual(await resolveTxt('_atproto.example.org'), [])
    })
  await withNameServer({ code: SERVER_FAILURE }, async (resolveTxt) => {
    await assert.rejects(resolveTxt('_atproto.example.org'), { code: 'ESERVFAIL' })
  })
})
