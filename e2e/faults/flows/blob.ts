import assert from 'node:assert/strict'
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { createRandom } from '@imago/sim/random'
import type { Flow } from '../flow.ts'
import { prepareScene } from '../prepare.ts'
import { DATA, note, succeed } from '../scene.ts'
import { changed, pathOf, writerOf } from '../stage.ts'

const bytesOf = (seed: number) => createRandom(seed).bytes(700_000)
const DAY_MS = 24 * 3_600_000

/** Blobs come, are referred to, are let go, and are swept away. */
export const blobFlow: Flow = {
  name: 'blob',
  lastsMs: DAY_MS + 3_600_000,

  prepare: (root) =>
    prepareScene(root, async (pds) => {
      const alice = await pds.createAccount('alice')
      const writer = writerOf(pds, alice)
      const { blob: old } = await writer.upload(bytesOf(1))
      await writer.create('old', note('old', { blob: old }))
      // Nothing will ever refer to it.
      const { blob: abandoned } = await writer.upload(bytesOf(2))
      return {
        accounts: { alice },
        repos: { [alice.did]: { [pathOf('old')]: note('old', { blob: old }) } },
        extra: { old: old.ref.$link, abandoned: abandoned.ref.$link },
      }
    }),

  async play({ scene, open, step }) {
    const pds = await open()
    const alice = writerOf(pds, scene.accounts['alice']!)
    const { did } = alice
    for (const seed of [3, 4]) {
      const uploaded = await step(`upload ${seed}`, [], () => alice.upload(bytesOf(seed)))
      if (uploaded === undefined) continue
      const value = note('new', { blob: uploaded.blob })
      await step(`refer ${seed}`, [changed(did, `b${seed}`, value)], () => alice.create(`b${seed}`, value))
    }
    await step('upload last', [], () => alice.upload(bytesOf(5)))
    await step('let go', [changed(did, 'old', null)], () => alice.delete('old'))
    pds.clock.advance(DAY_MS + 60_000)
    await step('sweep', [], () => pds.pds.maintain())
  },

  async check({ root, scene, transcript }, pds) {
    const { did } = scene.accounts['alice']!
    const outcome = (name: string) => transcript.steps.find((step) => step.name === name)
    const { accessJwt: token } = await succeed(pds, 'com.atproto.server.createSession', {
      body: { identifier: did, password: 'password of alice' },
    })
    const writer = writerOf(pds, { ...scene.accounts['alice']!, accessJwt: token })
    // What was uploaded, and is not swept yet, can be referred to.
    const { outcome: upload, fact } = outcome('upload last') ?? {}
    if (upload === 'done' && outcome('sweep') === undefined) {
      const { blob } = fact as { blob: { ref: { $link: string } } }
      await writer.create('late', note('late', { blob }))
      const { status, body } = await pds.query('com.atproto.sync.getBlob', {
        params: { did, cid: blob.ref.$link },
      })
      assert.equal(status, 200)
      assert.deepEqual(Buffer.from(body), Buffer.from(bytesOf(5)))
    }
    if (outcome('sweep')?.outcome !== 'done') return
    // Bytes that could not be removed are for the next time.
    await pds.pds.maintain()
    const swept = [
      scene.extra['abandoned'],
      ...(outcome('let go')?.outcome === 'done' ? [scene.extra['old']] : []),
    ]
    for (const cid of swept)
      assert.equal(
        existsSync(join(root, DATA, 'blobs', encodeURIComponent(did), String(cid))),
        false,
        `${cid} went`,
      )
  },
}
