import assert from 'node:assert/strict'
import { once } from 'node:events'
import { connect } from 'node:net'
import test from 'node:test'
import { serve } from './serve.ts'

test('a body comes in pieces that nobody else holds, so that they can be given back', async () => {
  const sent = new Uint8Array(1_000_000).map((_, i) => i * 7)
  await using server = await serve({
    hostname: 'localhost',
    port: 0,
    async fetch(request) {
      const received: number[] = []
      for await (const { buffer, byteLength } of request.body!) {
        assert.equal(buffer.byteLength, byteLength)
        received.push(...new Uint8Array(buffer))
        buffer.transfer(0)
      }
      return Response.json(received.length === sent.length && received.every((byte, i) => byte === sent[i]))
    },
  })
  const response = await fetch(server.url, { method: 'POST', body: sent })
  assert.equal(await response.json(), true)
})

test('a body that breaks off fails, and one that nobody wants to the end does not stop the answer', async () => {
  const failed = Promise.withResolvers<unknown>()
  await using server = await serve({
    hostname: 'localhost',
    port: 0,
    async fetch(request) {
      const reader = request.body!.getReader()
      await reader.read()
      if (request.headers.has('x-cancel')) await reader.cancel()
      else await reader.read().catch(failed.resolve)
      return new Response('answered')
    },
  })
  const socket = connect(server.port, '127.0.0.1')
  await once(socket, 'connect')
  socket.write('POST / HTTP/1.1\r\nHost: localhost\r\nContent-Length: 100\r\n\r\nhalf')
  setTimeout(() => socket.destroy(), 20)
  assert.ok((await failed.promise) instanceof Error)

  const body = new Uint8Array(300_000)
  const response = await fetch(server.url, { method: 'POST', headers: { 'x-cancel': '1' }, body })
  assert.equal(await response.text(), 'answered')
})
