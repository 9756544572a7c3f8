import assert from 'node:assert/strict'
import test from 'node:test'
import { sample } from './sample-events.fixture.ts'

test('a sample is what tests take it for', () => {
  const { context, result } = sample()
  assert.equal(result.ops.length, 4)
  assert.equal(context.account?.head?.rev, result.since)
})
