import { existsSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { createRandom } from '@imago/sim/random'
import { backUp, restore } from '../backups.ts'
import type { Flow } from '../flow.ts'
import { prepareScene } from '../prepare.ts'
import { DATA, note } from '../scene.ts'
import { changed, pathOf, writerOf } from '../stage.ts'

const TARGET = 'restored'
const LATER_MS = 60_000

/** A backup becomes a data directory, and a server starts on it, which announces everybody anew. */
export const restoreFlow: Flow = {
  name: 'restore',
  data: TARGET,
  lastsMs: LATER_MS,

  async prepare(root) {
    const scene = await prepareScene(root, async (pds) => {
      const alice = await pds.createAccount('alice')
      const bob = await pds.createAccount('bob')
      const writer = writerOf(pds, alice)
      for (const seed of [1, 2]) {
        const { blob } = await writer.upload(createRandom(seed).bytes(40_000))
        await writer.create(`b${seed}`, note('blob', { blob }))
      }
      const { body } = await pds.query('com.atproto.repo.listRecords', {
        params: { repo: alice.did, collection: note('').$type as string },
      })
      const records = (body.records as { uri: string; value: ReturnType<typeof note> }[]).map(
        ({ uri, value }) => [pathOf(uri.split('/').at(-1)!), value] as const,
      )
      return { accounts: { alice, bob }, repos: { [alice.did]: Object.fromEntries(records), [bob.did]: {} } }
    })
    await backUp(root, () => scene.nowMs)
    // The disk is lost.
    rmSync(join(root, DATA), { recursive: true })
    return scene
  },

  async play(stage) {
    const { root, scene, open, step } = stage
    const now = () => scene.nowMs + LATER_MS + stage.clockMs
    const restored = await step('restore', [], () => restore(root, TARGET, now))
    if (restored === undefined) return
    const pds = await open({ data: TARGET, laterMs: LATER_MS })
    const alice = writerOf(pds, scene.accounts['alice']!)
    await step('write', [changed(alice.did, 'new', note('new'))], () => alice.create('new'))
  },

  async recover({ root, scene }) {
    // What shows that it is not finished is its mark; a folder without a database was not begun, or not far.
    const isFinished =
      existsSync(join(root, TARGET, 'pds.sqlite')) && !existsSync(join(root, TARGET, 'restore.json'))
    if (!isFinished) await restore(root, TARGET, () => scene.nowMs + LATER_MS)
  },
}
