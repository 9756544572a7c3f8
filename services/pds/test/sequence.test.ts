import assert from 'node:assert/strict'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import test from 'node:test'
import { createManualClock } from '@imago/sim/clock'
import { openTestPds } from './test-pds.ts'

const seqOf = (events: { body: Record<string, unknown> }[]) => events.map(({ body }) => body['seq'] as number)

test('[F7] a server that was installed anew on the same name begins above all that the old one gave', async () => {
  const clock = createManualClock()
  const highest = async () => {
    await using pds = await openTestPds({ clock, config: { sequenceStart: undefined } })
    await pds.createAccount('alice')
    return seqOf(await pds.events()).at(-1)!
  }
  const before = await highest()
  clock.advance(60_000)
  const after = await highest()
  assert.ok(before > clock.now() - 120_000)
  assert.ok(after > before)
})

test('[F7] PDS_SEQUENCE_START lifts a stream that is below it, and leaves one that is above it', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'imago-sequence-'))
  let seed = 0
  const next = async (sequenceStart: number | undefined, name: string) => {
    await using pds = await openTestPds({ folder, seed: ++seed, config: { sequenceStart } })
    await pds.createAccount(name)
    return seqOf(await pds.events()).at(-4)
  }
  try {
    assert.equal(await next(0, 'alice'), 1)
    assert.equal(await next(undefined, 'bobby'), 5)
    assert.equal(await next(5000, 'carol'), 5001)
    assert.equal(await next(6, 'david'), 5005)
  } finally {
    rmSync(folder, { recursive: true })
  }
})
