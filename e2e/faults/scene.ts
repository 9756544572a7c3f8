import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { PlcOperation, PlcTombstone } from '@imago/identity/plc'
import { createManualClock } from '@imago/sim/clock'
import type { Did } from '@imago/syntax'
import { createFakePlc } from '../../services/pds/test/fake-plc.ts'
import {
  type Answer,
  type CallOptions,
  openTestPds,
  type TestAccount,
  type TestPds,
} from '../../services/pds/test/test-pds.ts'

export const NOTE = 'com.example.note'

/** Events of a scene stay readable from the first on, however far its clock is moved. */
const REPLAY_WINDOW_MS = 10 * 365 * 24 * 3_600_000

/** A record as JSON. */
export type Note = Readonly<Record<string, unknown>>

/** Records of one repository by path. */
export type Records = Readonly<Record<string, Note>>

/**
 * What lies in the folder of a flow beside the data directory, so that any process can go on with it: who the accounts
 * are, what the directory of identities holds, and what the repositories hold before the flow begins.
 */
export interface Scene {
  /** Milliseconds since the Unix epoch. The clock of whoever opens the scene begins here. */
  readonly nowMs: number
  readonly accounts: Readonly<Record<string, TestAccount>>
  readonly identities: readonly (readonly [Did, readonly (PlcOperation | PlcTombstone)[]])[]
  /** By DID. */
  readonly repos: Readonly<Record<string, Records>>
  /** What the flow keeps for itself. */
  readonly extra: Readonly<Record<string, unknown>>
}

const SCENE_FILE = 'scene.json'

/** Data directory of a scene, unless its flow makes another. */
export const DATA = 'pds'

export const readScene = (root: string): Scene => JSON.parse(readFileSync(join(root, SCENE_FILE), 'utf8'))

export const writeScene = (root: string, scene: Scene): void =>
  writeFileSync(join(root, SCENE_FILE), JSON.stringify(scene))

export interface OpenOptions {
  /** Below the root. Default {@link DATA}. */
  readonly data?: string
  /** The clock begins so much after the scene's. Default 0. */
  readonly laterMs?: number
  readonly seed?: number
}

/** Opens a server on a data directory of a scene. */
export async function openScene(
  root: string,
  scene: Scene,
  { data = DATA, laterMs = 0, seed = 1 }: OpenOptions = {},
): Promise<TestPds> {
  const clock = createManualClock(scene.nowMs + laterMs)
  const plc = createFakePlc(clock.now)
  for (const [did, operations] of scene.identities)
    for (const operation of operations) await plc.submit(did, operation)
  return openTestPds({
    folder: join(root, data),
    clock,
    plc,
    seed,
    config: { replayWindowMs: REPLAY_WINDOW_MS, blobUploadLimitBytes: 1_000_000 },
  })
}

/** A call that has to succeed. Returns the body of the answer. */
export async function succeed(pds: TestPds, nsid: string, options: CallOptions): Promise<Answer['body']> {
  const { status, body } = await pds.procedure(nsid, options)
  if (status !== 200) throw new Error(`${nsid}: ${status} ${JSON.stringify(body)}`)
  return body
}

export const note = (text: string, more: object = {}): Note => ({ $type: NOTE, text, ...more })
