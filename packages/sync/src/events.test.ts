import assert from 'node:assert/strict'
import test from 'node:test'
import type { DataMap, Value } from '@imago/data'
import { parseEvent } from './events.ts'
import { commitBody, did, post, sample } from './sample-events.fixture.ts'
import { SyncError } from './sync-error.ts'

const time = '2026-01-01T00:00:00Z'
const bodies: Record<string, DataMap> = {
  '#commit': commitBody(sample().result),
  '#sync': { seq: 1, did, rev: '3jzfcijpj2z2a', blocks: new Uint8Array(4), time },
  '#identity': { seq: 1, did, time, handle: 'alice.test' },
  '#account': { seq: 1, did, time, active: false, status: 'throttled' },
  '#info': { name: 'OutdatedCursor', message: 'from the oldest on' },
}

test('bodies are read as what their types say', () => {
  for (const [type, body] of Object.entries(bodies)) {
    const parsed = parseEvent(type, { ...body, fieldOfNextYear: 1 })
    assert.equal(parsed?.type, type)
    for (const [field, value] of Object.entries(parsed.event)) assert.deepEqual(value, body[field], field)
  }
  assert.equal(parseEvent('#tombstone', {}), undefined)
})

test('optional fields may lack', () => {
  assert.deepEqual(parseEvent('#identity', { seq: 1, did, time })?.event, { seq: 1, did, time })
  assert.deepEqual(parseEvent('#account', { seq: 1, did, time, active: true })?.event, {
    seq: 1,
    did,
    time,
    active: true,
  })
  assert.deepEqual(parseEvent('#info', { name: 'x' })?.event, { name: 'x' })
  const { prevData: _, ...first } = bodies['#commit']!
  assert.ok(!('prevData' in parseEvent('#commit', first)!.event))
})

test('every required field is required, and of its type', () => {
  const optional = new Set(['prevData', 'handle', 'status', 'message'])
  let tried = 0
  for (const [type, body] of Object.entries(bodies))
    for (const field of Object.keys(body)) {
      const { [field]: _, ...without } = body
      const refused = (changed: DataMap) =>
        assert.throws(
          () => parseEvent(type, changed),
          (error) =>
            error instanceof SyncError && error.code === 'InvalidEvent' && error.message.includes(field),
          `${type} ${field}`,
        )
      if (!optional.has(field)) refused(without)
      refused({ ...body, [field]: { odd: 1 } })
      refused({ ...body, [field]: -1 })
      tried++
    }
  assert.ok(tried > 20)
})

test('places in the stream are whole numbers that JavaScript tells apart', () => {
  for (const seq of [0, -1, 2 ** 53, 1.5, '1'] as Value[])
    assert.throws(() => parseEvent('#identity', { seq, did, time }), /seq/)
  assert.ok(parseEvent('#identity', { seq: Number.MAX_SAFE_INTEGER, did, time }))
})

test('operations are maps of action, path, cid and prev', () => {
  const body = bodies['#commit']!
  for (const op of [
    'x',
    null,
    {},
    { action: 'create', path: 'a/b' },
    { action: 'create', path: 'a/b', cid: 'x' },
  ] as Value[])
    assert.throws(() => parseEvent('#commit', { ...body, ops: [op] }), SyncError)
  const deletion = { action: 'delete', path: 'a/b', cid: null, prev: post(1).cid }
  const parsed = parseEvent('#commit', { ...body, ops: [deletion] })
  assert.deepEqual(parsed?.type === '#commit' && parsed.event.ops, [deletion])
})
