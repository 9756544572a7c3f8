import assert from 'node:assert/strict'
import { once } from 'node:events'
import { connect } from 'node:net'
import test from 'node:test'
import { RequestMessage } from './request-message.ts'
import { serve } from './serve.ts'

const head = (length: number) => `POST / HTTP/1.1\r\nHost: localhost\r\nContent-Length: ${length}\r\n\r\n`

/** Answers each request with its body. */
async function echo() {
  const failures: string[] = []
  const server = await serve({
    hostname: '127.0.0.1',
    port: 0,
    async fetch(request, { incoming }) {
      assert.ok(incoming instanceof RequestMessage)
      const body = await request.bytes().catch((error: Error) => failures.push(error.message))
      if (typeof body === 'number') return new Response(null, { status: 400 })
      await assert.rejects(request.bytes(), TypeError)
      if (body.length > 0) await assert.rejects(request.arrayBuffer(), TypeError)
      return new Response(body)
    },
  })
  const socket = connect(server.port, '127.0.0.1').setNoDelay()
  let received = ''
  socket.setEncoding('latin1').on('data', (text: string) => {
    received += text
  })
  return {
    failures,
    socket,
    /** What has come once it holds `text`, which is then taken for read. */
    async until(text: string): Promise<string> {
      while (!received.includes(text)) await once(socket, 'data')
      const found = received
      received = ''
      return found
    },
    async [Symbol.asyncDispose]() {
      socket.destroy()
      await server[Symbol.asyncDispose]()
    },
  }
}

test('a body is the same whether it comes with its headers or after them, over and over on one connection', async () => {
  await using peer = await echo()
  const { socket, until } = peer
  for (let round = 0; round < 3; round++) {
    socket.write(`${head(6)}whole${round}`)
    assert.match(await until(`whole${round}`), /^HTTP\/1.1 200 /)
    socket.write(head(8))
    await new Promise((resolve) => setTimeout(resolve, 20))
    socket.write('pie')
    await new Promise((resolve) => setTimeout(resolve, 20))
    socket.write(`cewi${round}`)
    assert.match(await until(`piecewi${round}`), /^HTTP\/1.1 200 /)
    socket.write(head(0))
    assert.match(await until('\r\n\r\n'), /^HTTP\/1.1 200 /)
  }
  const large = 'large'.repeat(100_000)
  socket.write(head(large.length) + large)
  assert.match(await until(large), /^HTTP\/1.1 200 /)
})

test('requests that come in one piece get a body each', async () => {
  await using peer = await echo()
  peer.socket.write(`${head(5)}first${head(6)}second${head(5)}third`)
  const answers = await peer.until('third')
  assert.match(answers, /first.*second.*third/s)
})

test('a body that breaks off is no body', async () => {
  await using peer = await echo()
  peer.socket.end(`${head(10)}half`)
  await once(peer.socket, 'close')
  assert.equal(peer.failures.length, 1)
})
