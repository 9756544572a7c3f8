import assert from 'node:assert/strict'
import { join } from 'node:path'
import { isDeepStrictEqual } from 'node:util'
import { verifyDataDirectory } from '@imago/pds/recovery'
import type { TestAccount, TestPds } from '../../services/pds/test/test-pds.ts'
import { eventsOf, type StreamedEvent } from './events.ts'
import { possibleRepos } from './expectation.ts'
import type { Aftermath, Flow } from './flow.ts'
import { assertConsistent, type Found } from './oracle.ts'
import { DATA, openScene, succeed } from './scene.ts'
import { pathOf, writerOf } from './stage.ts'

const DAYS_MS = 3 * 24 * 3_600_000

/**
 * Everything that has to be true when a flow broke: no tool finds an error, before the next start and after it; what was
 * acknowledged is there, and of the rest all or nothing; what the stream told stands, and its numbers go on; the next
 * write works; three days later nothing is left over.
 */
export async function checkAftermath(flow: Flow, aftermath: Aftermath): Promise<void> {
  const { root, scene, transcript } = aftermath
  const { data = DATA, lastsMs = 0 } = flow
  await flow.recover?.(aftermath)
  // By the time of files, which is not the scene's: right after the crash.
  await assertVerified(join(root, data), () => scene.nowMs)

  await using pds = await openScene(root, scene, { data, laterMs: lastsMs, seed: 3 })
  const accounts = Object.values(scene.accounts)
  const dids = accounts.map(({ did }) => did)
  const { repos, events } = await assertConsistent(pds, dids)
  assertAmong(repos, possibleRepos(scene, transcript))
  assertStillTold(transcript.seen, events, repos)

  const account = accounts.find(({ did }) => repos.get(did) !== undefined)!
  await assertNextWrite(pds, account, events)
  await flow.check?.(aftermath, pds)
  await assertConsistent(pds, dids)

  pds.clock.advance(DAYS_MS)
  await pds.pds.maintain()
  await pds[Symbol.asyncDispose]()
  await assertVerified(join(root, data), pds.clock.now)
}

async function assertVerified(dataDirectory: string, now: () => number): Promise<void> {
  const findings = await Array.fromAsync(verifyDataDirectory({ dataDirectory, now }))
  assert.deepEqual(
    findings.filter(({ type }) => type === 'finding'),
    [],
    'verify finds nothing',
  )
}

function assertAmong(
  found: ReadonlyMap<string, Found | undefined>,
  possible: readonly Readonly<Record<string, object>>[],
): void {
  const actual = Object.fromEntries(
    [...found].flatMap(([did, repo]) => (repo === undefined ? [] : [[did, repo.records]])),
  )
  if (possible.some((state) => isDeepStrictEqual(actual, state))) return
  assert.deepEqual(actual, possible[0], `none of the ${possible.length} states that are possible`)
}

/** What a reader heard before the fault is what a reader hears afterwards. */
function assertStillTold(
  seen: Aftermath['transcript']['seen'],
  events: readonly StreamedEvent[],
  repos: ReadonlyMap<string, Found | undefined>,
): void {
  const bySeq = new Map(events.map(({ seq, hash }) => [seq, hash]))
  // The events of a deleted account go with it.
  for (const { seq, did, hash } of seen)
    if (repos.get(did as TestAccount['did']) !== undefined || bySeq.has(seq))
      assert.equal(bySeq.get(seq), hash, `event ${seq} is what it was`)
}

async function assertNextWrite(
  pds: TestPds,
  account: TestAccount,
  events: readonly StreamedEvent[],
): Promise<void> {
  const { did, handle } = account
  const { accessJwt } = await succeed(pds, 'com.atproto.server.createSession', {
    body: { identifier: did, password: `password of ${handle.split('.')[0]}` },
  })
  const { commit, cid } = await writerOf(pds, { ...account, accessJwt }).create('next')
  const last = events.at(-1)!.seq
  const news = await eventsOf(pds, last)
  const told = news.map(({ did, body }) => [
    did,
    body['rev'],
    body['ops']?.map((op: { path: string; cid: unknown }) => [op.path, String(op.cid)]),
  ])
  assert.deepEqual(told, [[did, commit.rev, [[pathOf('next'), cid]]]])
}
