import assert from 'node:assert/strict'
import { createRandom } from '@imago/sim/random'
import { assertBackupsWhole, backUp, headsIn } from '../backups.ts'
import type { Flow } from '../flow.ts'
import { prepareScene } from '../prepare.ts'
import { DATA, note } from '../scene.ts'
import { changed, pathOf, writerOf } from '../stage.ts'

/** Two backups of a running server, with a record and a blob between them; the second sends only what is new. */
export const backupFlow: Flow = {
  name: 'backup',
  lastsMs: 2_000,

  prepare: (root) =>
    prepareScene(root, async (pds) => {
      const alice = await pds.createAccount('alice')
      const writer = writerOf(pds, alice)
      const { blob } = await writer.upload(createRandom(1).bytes(40_000))
      await writer.create('old', note('old', { blob }))
      return { accounts: { alice }, repos: { [alice.did]: { [pathOf('old')]: note('old', { blob }) } } }
    }),

  async play({ root, scene, open, step }) {
    const pds = await open()
    const alice = writerOf(pds, scene.accounts['alice']!)
    await step('first backup', [], () => backUp(root, pds.clock.now))
    pds.clock.advance(1000)
    const uploaded = await step('upload', [], () => alice.upload(createRandom(2).bytes(40_000)))
    const value = note('new', uploaded && { blob: uploaded.blob })
    await step('write', [changed(alice.did, 'new', value)], () => alice.create('new', value))
    await step('second backup', [], () => backUp(root, pds.clock.now))
  },

  async check({ root, transcript }, pds) {
    const acknowledged = transcript.steps.filter(
      ({ name, outcome }) => /backup/.test(name) && outcome === 'done',
    )
    const { keys } = await assertBackupsWhole(root, pds.clock.now)
    // In the order in which they were made, whatever the clock said.
    const facts = acknowledged.map(({ fact }) => String(fact))
    assert.deepEqual(
      keys.filter((key) => facts.includes(key)),
      facts,
    )
    // Whatever was left lying about is in nobody's way.
    pds.clock.advance(1000)
    const last = await backUp(root, pds.clock.now)
    const after = await assertBackupsWhole(root, pds.clock.now)
    assert.equal(after.keys.at(-1), last)
    assert.deepEqual(after.heads, headsIn(root, DATA))
  },
}
