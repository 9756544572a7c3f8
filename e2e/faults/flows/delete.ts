import assert from 'node:assert/strict'
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { createRandom } from '@imago/sim/random'
import type { Flow } from '../flow.ts'
import { manyNotes, prepareScene } from '../prepare.ts'
import { DATA, note, succeed } from '../scene.ts'
import { changed, pathOf, writerOf, writes } from '../stage.ts'

const OPERATOR = { authorization: `Basic ${Buffer.from('admin:operator').toString('base64')}` }

/** An account goes, with its records, blobs and events; its neighbour does not notice. */
export const deleteFlow: Flow = {
  name: 'delete',

  prepare: (root) =>
    prepareScene(root, async (pds) => {
      const alice = await pds.createAccount('alice')
      const bob = await pds.createAccount('bob')
      const notes = manyNotes(30, (rkey) => note(rkey))
      const repos: Record<string, Record<string, ReturnType<typeof note>>> = {}
      for (const [seed, account] of [alice, bob].entries()) {
        const writer = writerOf(pds, account)
        const rkeys = Object.keys(notes).map((path) => path.split('/')[1]!)
        await writer.applyWrites(rkeys.map((rkey) => writes.create(rkey, note(rkey))))
        repos[account.did] = { ...notes }
        for (const n of [0, 1]) {
          const { blob } = await writer.upload(createRandom(2 * seed + n).bytes(5_000))
          await writer.create(`blob${n}`, note('blob', { blob }))
          repos[account.did]![pathOf(`blob${n}`)] = note('blob', { blob })
        }
      }
      return { accounts: { alice, bob }, repos }
    }),

  async play({ scene, open, step }) {
    const pds = await open()
    const alice = writerOf(pds, scene.accounts['alice']!)
    const { did: bob } = scene.accounts['bob']!
    await step('before', [changed(alice.did, 'before', note('before'))], () => alice.create('before'))
    await step('delete account', [{ kind: 'deleted', did: bob }], () =>
      succeed(pds, 'com.atproto.admin.deleteAccount', { headers: OPERATOR, body: { did: bob } }),
    )
    await step('after', [changed(alice.did, 'after', note('after'))], () => alice.create('after'))
  },

  async check({ root, scene }, pds) {
    const { did } = scene.accounts['bob']!
    const { status } = await pds.query('com.atproto.sync.getRepo', { params: { did } })
    if (status === 200) return
    // What could not be removed with the account is for the next time.
    await pds.pds.maintain()
    assert.equal(
      existsSync(join(root, DATA, 'blobs', encodeURIComponent(did))),
      false,
      'no blob of it is left',
    )
  },
}
