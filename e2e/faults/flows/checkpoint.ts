import { copyFileSync, renameSync } from 'node:fs'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import type { Flow } from '../flow.ts'
import { manyNotes, prepareScene } from '../prepare.ts'
import { DATA, note } from '../scene.ts'
import { changed, pathOf, writerOf, writes } from '../stage.ts'
import { nextReport } from '../worker-threads.ts'

/** Pages in the WAL from which on it is copied back. */
const DUE_PAGES = 8000
/** Fewer than the first step of the story writes. */
const MISSING_PAGES = 12
const RECORDS = 40

/**
 * A server that was killed goes on with a WAL that is nearly full: the thread beside the writer copies it back, and it
 * begins anew.
 */
export const checkpointFlow: Flow = {
  name: 'checkpoint',
  hasWorker: true,

  async prepare(root) {
    const scene = await prepareScene(root, async (pds) => {
      const alice = await pds.createAccount('alice')
      await writerOf(pds, alice).create('old')
      return { accounts: { alice }, repos: { [alice.did]: { [pathOf('old')]: note('old') } } }
    })
    leaveWal(join(root, DATA, 'pds.sqlite'), DUE_PAGES - MISSING_PAGES)
    return scene
  },

  async play({ scene, open, step }) {
    const pds = await open()
    const alice = writerOf(pds, scene.accounts['alice']!)
    const { did } = alice
    const batch = manyNotes(RECORDS, (rkey) => note(rkey))
    const rkeys = Object.keys(batch).map((path) => path.split('/')[1]!)
    await step(
      'fill',
      rkeys.map((rkey) => changed(did, rkey, note(rkey))),
      () => alice.applyWrites(rkeys.map((rkey) => writes.create(rkey, note(rkey)))),
    )
    const reported = nextReport()
    await step('write', [changed(did, 'due', note('due'))], () => alice.create('due'))
    // Nothing was due yet when the first step wrote less than it should have, or nothing.
    if (pagesInWal(pds.folder) >= DUE_PAGES) await reported
    for (const rkey of ['first', 'second'])
      await step(`after ${rkey}`, [changed(did, rkey, note(rkey))], () => alice.create(rkey))
  },
}

/** Makes a WAL as one that was killed leaves it behind: of so many pages, most of them of no account any more. */
function leaveWal(path: string, pages: number): void {
  {
    using database = new DatabaseSync(path)
    database.exec('PRAGMA synchronous = OFF; PRAGMA wal_autocheckpoint = 0')
    const { user_version: version } = database.prepare('PRAGMA user_version').get() as {
      user_version: number
    }
    const look = database.prepare('PRAGMA wal_checkpoint(NOOP)')
    // One page each time.
    while ((look.get() as { log: number }).log < pages) database.exec(`PRAGMA user_version = ${version}`)
    // Closing it would copy them back.
    for (const suffix of ['', '-wal']) copyFileSync(path + suffix, `${path}${suffix}.kept`)
  }
  for (const suffix of ['', '-wal']) renameSync(`${path}${suffix}.kept`, path + suffix)
}

function pagesInWal(folder: string): number {
  using database = new DatabaseSync(join(folder, 'pds.sqlite'), { readOnly: true })
  return (database.prepare('PRAGMA wal_checkpoint(NOOP)').get() as { log: number }).log
}
