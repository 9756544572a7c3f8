// The judge of the fault run, judged: each way to lose something that was acknowledged has to be noticed.
import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { cpSync, mkdirSync, mkdtempSync, readdirSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { checkAftermath } from './aftermath.ts'
import type { Aftermath, Flow } from './flow.ts'
import { blobFlow } from './flows/blob.ts'
import { deleteFlow } from './flows/delete.ts'
import { writeFlow } from './flows/write.ts'
import { DATA, readScene, writeScene } from './scene.ts'
import { readTranscript, type Transcript } from './transcript.ts'

const driver = fileURLToPath(new URL('driver.ts', import.meta.url))

interface Played {
  readonly folder: string
  readonly transcript: Transcript
}

/** A flow that nothing disturbed: what it began with lies in `base`, what came of it in `played`. */
async function play(flow: Flow, folder: string): Promise<Played> {
  const [base, played] = [join(folder, 'base'), join(folder, 'played')]
  mkdirSync(base)
  writeScene(base, await flow.prepare(base))
  cpSync(base, played, { recursive: true })
  const output = execFileSync(process.execPath, [driver, flow.name, played], { encoding: 'utf8' })
  return { folder, transcript: readTranscript(output) }
}

type Spoil = (root: string, played: Played) => Transcript | undefined

/** What the check says of a copy that was spoilt. */
async function judge(flow: Flow, played: Played, spoil: Spoil): Promise<void> {
  const root = join(played.folder, 'work')
  rmSync(root, { recursive: true, force: true })
  cpSync(join(played.folder, 'played'), root, { recursive: true })
  const transcript = spoil(root, played) ?? played.transcript
  const aftermath: Aftermath = { root, scene: readScene(root), transcript }
  await checkAftermath(flow, aftermath)
}

const sql =
  (statement: string): Spoil =>
  (root) => {
    using database = new DatabaseSync(join(root, DATA, 'pds.sqlite'))
    assert.ok(database.prepare(statement).run().changes > 0, statement)
    return undefined
  }

async function withPlayed(flow: Flow, work: (played: Played) => Promise<void>): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), 'imago-judge-'))
  try {
    await work(await play(flow, folder))
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}

test('the check after a fault notices writes that are gone, undone in part, told wrongly or told twice', () =>
  withPlayed(writeFlow, async (played) => {
    await judge(writeFlow, played, () => undefined)
    const { transcript } = played
    const spoils: [string, RegExp, Spoil][] = [
      [
        'everything since the start is gone',
        /none of the 1 states/,
        (root) => {
          rmSync(join(root, DATA), { recursive: true })
          cpSync(join(played.folder, 'base', DATA), join(root, DATA), { recursive: true })
          return { ...transcript, seen: [] }
        },
      ],
      ['a record is gone', /verify finds nothing/, sql(`DELETE FROM record WHERE path LIKE '%/a2'`)],
      [
        'an event is gone',
        /follows what was told before/,
        sql('DELETE FROM event WHERE seq = (SELECT max(seq) - 2 FROM event)'),
      ],
      [
        'the last event is gone',
        /verify finds nothing/,
        sql('DELETE FROM event WHERE seq = (SELECT max(seq) FROM event)'),
      ],
      [
        'an event is another than the one that was heard',
        /event \d+ is what it was/,
        () => ({ ...transcript, seen: transcript.seen.map((event) => ({ ...event, hash: '' })) }),
      ],
      [
        'a step that did not end has done half of its work',
        /none of the 2 states/,
        () => ({
          ...transcript,
          steps: transcript.steps.map((step) =>
            step.name === 'applyWrites'
              ? {
                  ...step,
                  outcome: 'unfinished',
                  effects: [
                    ...step.effects,
                    { ...step.effects[0]!, path: 'com.example.note/never' } as (typeof step.effects)[number],
                  ],
                }
              : step,
          ),
        }),
      ],
      ['numbers go back', /verify finds nothing/, sql('UPDATE event_state SET head = head - 1')],
    ]
    for (const [what, words, spoil] of spoils)
      await assert.rejects(judge(writeFlow, played, spoil), words, what)
  }))

test('the check after a fault notices a blob that is gone', () =>
  withPlayed(blobFlow, async (played) => {
    await judge(blobFlow, played, () => undefined)
    const removeBlob: Spoil = (root) => {
      const folder = join(root, DATA, 'blobs')
      const [account] = readdirSync(folder).filter((name) => name.startsWith('did'))
      const [file] = readdirSync(join(folder, account!))
      rmSync(join(folder, account!, file!))
      return undefined
    }
    await assert.rejects(judge(blobFlow, played, removeBlob), /verify finds nothing/)
  }))

test('the check after a fault notices a deletion of which nobody was told', () =>
  withPlayed(deleteFlow, async (played) => {
    await judge(deleteFlow, played, () => undefined)
    const untold = sql('DELETE FROM event WHERE key NOT IN (SELECT did FROM repo)')
    await assert.rejects(judge(deleteFlow, played, untold), /the stream tells of did:plc/)
  }))
