import { writeFileSync } from 'node:fs'
import type { Flow } from '../flow.ts'
import { assertTakenIn, carOf, carPath, sendRepo } from '../imports.ts'
import { manyNotes, prepareScene } from '../prepare.ts'
import { note } from '../scene.ts'
import { changed, pathOf, writerOf, writes } from '../stage.ts'

const RECORDS = 200

/** A repository of 200 records is taken in where another one was. */
export const importFlow: Flow = {
  name: 'import',

  prepare: (root) =>
    prepareScene(root, async (pds) => {
      const alice = await pds.createAccount('alice')
      const writer = writerOf(pds, alice)
      const imported = manyNotes(RECORDS, (rkey) => note(rkey, { filler: 'x'.repeat(300) }))
      const rkeys = Object.keys(imported).map((path) => path.split('/')[1]!)
      await writer.applyWrites(rkeys.map((rkey) => writes.create(rkey, imported[pathOf(rkey)]!)))
      const { body: car } = await pds.query('com.atproto.sync.getRepo', { params: { did: alice.did } })
      writeFileSync(carPath(root), car)
      // Since it was exported, some records changed, some went, and one came.
      const [gone, kept] = [rkeys.slice(0, 150), rkeys.slice(150)]
      await writer.applyWrites([
        ...gone.map((rkey) => writes.delete(rkey)),
        ...kept.slice(0, 10).map((rkey) => writes.update(rkey, note('changed'))),
        writes.create('new', note('new')),
      ])
      const now = Object.fromEntries([
        ...kept.map((rkey, n) => [pathOf(rkey), n < 10 ? note('changed') : imported[pathOf(rkey)]]),
        [pathOf('new'), note('new')],
      ])
      return { accounts: { alice }, repos: { [alice.did]: now }, extra: { imported } }
    }),

  async play({ root, scene, open, step }) {
    const pds = await open()
    const { did, accessJwt: token } = scene.accounts['alice']!
    const alice = writerOf(pds, scene.accounts['alice']!)
    await step('before', [changed(did, 'before', note('before'))], () => alice.create('before'))
    await step('import', [{ kind: 'repo', did, extra: 'imported' }], () => sendRepo(pds, token, carOf(root)))
    await step('after', [changed(did, 'after', note('after'))], () => alice.create('after'))
  },

  async check({ root, scene, transcript }, pds) {
    const attempt = transcript.steps.find(({ name }) => name === 'import')
    if (attempt?.outcome === 'done') await assertTakenIn(pds, root, scene.accounts['alice']!.did)
  },
}
