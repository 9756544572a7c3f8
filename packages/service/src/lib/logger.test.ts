import assert from 'node:assert/strict'
import test from 'node:test'
import { createLogger } from './logger.ts'

function capture() {
  const lines: string[] = []
  return { lines, destination: { write: (line: string) => void lines.push(line) } }
}

test('a log line is JSON with a name, a level and a time, and strikes out credentials', () => {
  const { lines, destination } = capture()
  const logger = createLogger({ name: 'pds', pretty: false, destination })
  logger.info({ request: { headers: { authorization: 'Bearer abc' } }, password: 'hunter2' }, 'hello')
  logger.debug('not at this level')
  assert.equal(lines.length, 1)
  const line = JSON.parse(lines[0]!)
  assert.deepEqual([line.name, line.level, line.msg], ['pds', 'info', 'hello'])
  assert.ok(!Number.isNaN(Date.parse(line.time)))
  assert.ok(!/hunter2|abc/.test(lines[0]!))
})

test('a pretty log is text', () => {
  const { lines, destination } = capture()
  const logger = createLogger({ name: 'pds', pretty: true, destination })
  logger.warn('careful')
  assert.match(lines.join(''), /WARN.*careful/)
})
