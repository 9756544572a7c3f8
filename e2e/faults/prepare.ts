import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import type { Operation, PlcOperation, PlcTombstone } from '@imago/identity/plc'
import { createManualClock } from '@imago/sim/clock'
import { createFakePlc } from '../../services/pds/test/fake-plc.ts'
import { openTestPds, type TestAccount, type TestPds } from '../../services/pds/test/test-pds.ts'
import { DATA, type Records, type Scene } from './scene.ts'

/** What the preparation of a flow adds to the scene. */
export interface Prepared {
  readonly accounts: Readonly<Record<string, TestAccount>>
  /** What repositories hold, by DID. */
  readonly repos: Readonly<Record<string, Records>>
  readonly extra?: Readonly<Record<string, unknown>>
}

/** Makes a data directory by what `work` does with the server, and the scene of it. */
export async function prepareScene(root: string, work: (pds: TestPds) => Promise<Prepared>): Promise<Scene> {
  // Of today: the age of files is told by the clock of the machine.
  const clock = createManualClock(Date.now())
  const plc = createFakePlc(clock.now)
  const folder = join(root, DATA)
  mkdirSync(folder, { recursive: true })
  await using pds = await openTestPds({ folder, clock, plc, config: { blobUploadLimitBytes: 1_000_000 } })
  const { accounts, repos, extra = {} } = await work(pds)
  const identities = plc.dids.map((did) => [did, plc.operations(did).filter(isOfToday)] as const)
  return { nowMs: clock.now() + 1000, accounts, repos, extra, identities }
}

const isOfToday = (operation: Operation): operation is PlcOperation | PlcTombstone =>
  operation.type !== 'create'

/** Records `n0`, `n1` …, as {@link Prepared.repos} has them. */
export function manyNotes(count: number, make: (rkey: string) => Records[string]): Records {
  const rkeys = Array.from({ length: count }, (_, n) => `n${n}`)
  return Object.fromEntries(rkeys.map((rkey) => [`com.example.note/${rkey}`, make(rkey)]))
}
