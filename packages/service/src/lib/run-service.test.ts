import assert from 'node:assert/strict'
import { EventEmitter } from 'node:events'
import test from 'node:test'
import { createLogger } from './logger.ts'
import { runService } from './run-service.ts'

const logger = createLogger({
  name: 'test',
  level: 'silent',
  pretty: false,
  destination: { write: () => {} },
})

test('a service runs until it is told to stop, then closes in the opposite order', async () => {
  const signals = new EventEmitter()
  const closed: string[] = []
  const started = Promise.withResolvers<void>()
  const running = runService({
    signals,
    logger,
    start: async (resources, stop) => {
      resources.defer(() => void closed.push(`database, stop ${stop.aborted}`))
      resources.defer(() => void closed.push('server'))
      started.resolve()
    },
  })
  await started.promise
  assert.deepEqual(closed, [])
  signals.emit('SIGTERM')
  assert.equal(await running, 0)
  assert.deepEqual(closed, ['server', 'database, stop true'])
  assert.equal(signals.listenerCount('SIGTERM') + signals.listenerCount('SIGINT'), 0)
})

test('a service that cannot start closes what it had opened', async () => {
  let closed = false
  const code = await runService({
    signals: new EventEmitter(),
    logger,
    start: async (resources) => {
      resources.defer(() => {
        closed = true
      })
      throw new Error('no database')
    },
  })
  assert.deepEqual([code, closed], [1, true])
})

test('a service told twice gives up waiting', async () => {
  const signals = new EventEmitter()
  const running = runService({
    signals,
    logger,
    start: async (resources) => {
      resources.defer(() => new Promise(() => {}))
      queueMicrotask(() => {
        signals.emit('SIGINT')
        signals.emit('SIGINT')
      })
    },
  })
  assert.equal(await running, 1)
})

test('a service that does not close in time is given up', async () => {
  const signals = new EventEmitter()
  const running = runService({
    signals,
    logger,
    closeTimeoutMs: 1,
    start: async (resources) => {
      resources.defer(() => new Promise(() => {}))
      queueMicrotask(() => signals.emit('SIGINT'))
    },
  })
  assert.equal(await running, 1)
})

test('a service told twice before it is up does not go on starting', async () => {
  const signals = new EventEmitter()
  let closed = false
  const running = runService({
    signals,
    logger,
    start: async (resources) => {
      resources.defer(() => {
        closed = true
      })
      queueMicrotask(() => {
        signals.emit('SIGINT')
        signals.emit('SIGINT')
      })
      await new Promise(() => {})
    },
  })
  assert.equal(await running, 1)
  assert.ok(closed)
  assert.equal(signals.listenerCount('SIGINT'), 0)
})
