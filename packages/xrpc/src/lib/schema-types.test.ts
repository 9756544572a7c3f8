import assert from 'node:assert/strict'
import test from 'node:test'
import { echo, getCount, getFile, listItems, putCount, touch, upload, watch } from './example-methods.ts'
import { method, subscription } from './method.ts'
import { type Client, createClient } from './xrpc-client.ts'

/* What the type-checker must accept and refuse; nothing here is called. */

test('handlers are typed by their schema', () => {
  const methods = [
    method(getCount, ({ params }) => ({ count: params.step + (params.tag?.length ?? 0) })),
    method(getFile, () => new Response()),
    method(putCount, async ({ input }) => {
      input.count.toFixed()
    }),
    method(touch, { auth: async () => ({ did: 'did:web:a.test' }) }, ({ auth }) => void auth.did.length),
    method(upload, ({ input }) => ({ size: 0, type: input.encoding })),
    // @ts-expect-error the output has a number
    method(getCount, () => ({ count: 'many' })),
    // @ts-expect-error there is no such parameter
    method(getCount, ({ params }) => ({ count: params.steps })),
    method(getFile, () => ({ encoding: 'a/b', body: new ReadableStream() })),
    // @ts-expect-error an output that is not JSON is a Response or a stream
    method(getFile, () => ({ count: 1 })),
    // @ts-expect-error something has to be returned
    method(getCount, () => {}),
    // @ts-expect-error without auth there is nobody
    method(touch, ({ auth }) => void auth.did),
  ]
  assert.equal(methods.length, 11)
})

test('stream handlers are typed by their schema', () => {
  const streams = [
    subscription(watch, async function* ({ params }) {
      yield [new Uint8Array(params.cursor ?? 0)]
    }),
    // @ts-expect-error batches, not single messages
    subscription(watch, async function* () {
      yield new Uint8Array()
    }),
  ]
  assert.equal(streams.length, 2)
})

test('calls are typed by their schema', () => {
  const calls = async (client: Client) => {
    const { count } = await client.call(getCount)
    count.toFixed()
    const { items } = await client.call(listItems, { params: { cursor: 'x' } })
    items.join()
    const file: Response = await client.call(getFile)
    const nothing: undefined = await client.call(touch)
    await client.call(putCount, { input: { count: 1 } })
    await client.call(upload, { input: new Uint8Array(), encoding: 'image/png' })
    const result = await client.tryCall(echo, { input: { any: 'thing' } })
    if (result.ok) result.output['any']
    else result.error.status.toFixed()
    // @ts-expect-error the input is missing
    await client.call(putCount)
    // @ts-expect-error the input has a number
    await client.call(putCount, { input: { count: 'many' } })
    // @ts-expect-error there is no such parameter
    await client.call(getCount, { params: { steps: 1 } })
    return [file, nothing]
  }
  assert.equal(typeof calls, 'function')
  assert.ok(createClient({ service: 'https://host.test' }))
})
