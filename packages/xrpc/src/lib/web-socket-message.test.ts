import assert from 'node:assert/strict'
import test from 'node:test'
import { webSocketMessage } from './web-socket-message.ts'

test('the length takes one, three or nine bytes, as RFC 6455 has it', () => {
  const headerOf = (length: number) => [
    ...webSocketMessage(new Uint8Array(length).fill(9), 'binary').subarray(0, -length || undefined),
  ]
  assert.deepEqual(headerOf(0), [0x82, 0])
  assert.deepEqual(headerOf(125), [0x82, 125])
  assert.deepEqual(headerOf(126), [0x82, 126, 0, 126])
  assert.deepEqual(headerOf(65_535), [0x82, 126, 0xff, 0xff])
  assert.deepEqual(headerOf(65_536), [0x82, 127, 0, 0, 0, 0, 0, 1, 0, 0])
})

test('the payload follows unmasked; text has its own opcode', () => {
  assert.deepEqual(
    [...webSocketMessage(new TextEncoder().encode('Hello'), 'text')],
    [0x81, 5, ...Buffer.from('Hello')],
  )
})
