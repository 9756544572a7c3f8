import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { writeFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import type { Flow } from '../flow.ts'
import { assertTakenIn, carOf, carPath, leftOver, sendRepo } from '../imports.ts'
import { findRepo } from '../oracle.ts'
import { manyNotes, prepareScene } from '../prepare.ts'
import { note, type Scene, writeScene } from '../scene.ts'
import { changed, writerOf, writes } from '../stage.ts'

/** With the nodes of their tree, more than one transaction of an import takes, and less than two. */
const RECORDS = 560
const AT_ONCE = 200
/** The server was killed when it had asked for so much: one transaction was through. */
const SHARE = 0.9
/** Of the second attempt after the first. */
const LATER_MS = 1_000

const killedImport = fileURLToPath(new URL('../killed-import.ts', import.meta.url))

/** A server that was killed within an import starts, and the same repository is sent again. */
export const resumeFlow: Flow = {
  name: 'resume',
  lastsMs: 2 * LATER_MS,
  // No transaction of an import waits for the disk before the last.
  alsoBy: ['tear'],

  async prepare(root) {
    const scene = await prepareScene(root, async (pds) => {
      // The first one here is written to after the fault: the repository that is taken in must stay as it is.
      const bob = await pds.createAccount('bob')
      const alice = await pds.createAccount('alice')
      const writer = writerOf(pds, alice)
      const imported = manyNotes(RECORDS, (rkey) => note(rkey))
      const rkeys = Object.keys(imported).map((path) => path.split('/')[1]!)
      const some = Array.from({ length: Math.ceil(RECORDS / AT_ONCE) }, (_, n) =>
        rkeys.slice(n * AT_ONCE, (n + 1) * AT_ONCE),
      )
      for (const part of some) await writer.applyWrites(part.map((rkey) => writes.create(rkey, note(rkey))))
      const { body: car } = await pds.query('com.atproto.sync.getRepo', { params: { did: alice.did } })
      writeFileSync(carPath(root), car)
      // As in a repository that waits for what comes from elsewhere, there is nothing.
      for (const part of some) await writer.applyWrites(part.map(writes.delete))
      return { accounts: { bob, alice }, repos: { [bob.did]: {}, [alice.did]: {} }, extra: { imported } }
    })
    killImport(root, scene)
    return scene
  },

  async play({ root, scene, open, step }) {
    const pds = await open({ laterMs: LATER_MS })
    const { did, accessJwt: token } = scene.accounts['alice']!
    const [alice, bob] = ['alice', 'bob'].map((name) => writerOf(pds, scene.accounts[name]!))
    await step('neighbour', [changed(bob!.did, 'one', note('one'))], () => bob!.create('one'))
    const effects = [{ kind: 'repo', did, extra: 'imported' }] as const
    const send = () => sendRepo(pds, token, carOf(root))
    const resumed = await step('import', effects, send)
    if (resumed === undefined) await step('import once more', effects, send)
    await step('after', [changed(did, 'after', note('after'))], () => alice!.create('after'))
  },

  async check({ root, scene, transcript }, pds) {
    const { did, accessJwt: token } = scene.accounts['alice']!
    const find = (name: string) => transcript.steps.find((step) => step.name === name)
    const attempt = find('import')
    if (attempt?.outcome === 'done') assert.ok(Number(attempt.fact) > 0, 'it went on where it broke off')
    const isTakenIn = (await findRepo(pds, did))!.cids.size > 0
    if (!isTakenIn) {
      const left = leftOver(root, did)
      // One that was killed again has lost nothing of what it had. After an error it may have to begin anew.
      if (attempt?.outcome !== 'failed') assert.ok(left > 0, 'there is something to go on with')
      assert.equal(await sendRepo(pds, token, carOf(root)), left)
      const { records } = (await findRepo(pds, did))!
      assert.deepEqual(records, scene.extra['imported'])
    }
    await assertTakenIn(pds, root, did)
  },
}

/** In a process of its own. @throws {Error} unless it was killed within the import. */
function killImport(root: string, scene: Scene): void {
  writeScene(root, scene)
  const { signal, stderr } = spawnSync(process.execPath, [killedImport, root, 'alice', String(SHARE)], {
    encoding: 'utf8',
  })
  assert.equal(signal, 'SIGKILL', `the first attempt was killed: ${stderr}`)
  assert.ok(leftOver(root, scene.accounts['alice']!.did) > 0, 'something of it was kept')
}
