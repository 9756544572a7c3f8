import assert from 'node:assert/strict'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { TestContext } from 'node:test'
import type { StagingStore } from '@imago/object-store'
import { createRandom } from '@imago/sim/random'
import {
  type BackupRepository,
  configurationOf,
  createBackup,
  openBlobStore,
  openOrCreateBackupRepository,
} from '../src/backup.ts'
import { pdsSettings } from '../src/config.ts'
import type { TestAccount, TestPds } from './test-pds.ts'

export const NOTE = 'com.example.note'
export const ENVIRONMENT = {
  PDS_HOSTNAME: 'pds.test',
  PDS_JWT_SECRET: "it's secret, $and long",
  OTHER: 'not ours',
}

export function temporaryFolder(t: TestContext): string {
  const folder = mkdtempSync(join(tmpdir(), 'imago-backup-'))
  t.after(() => rmSync(folder, { recursive: true, force: true }))
  return folder
}

export const random = createRandom(11)

export function repositoryIn(
  store: StagingStore,
  now: () => number,
  passphrase = 'correct horse',
): Promise<BackupRepository> {
  return openOrCreateBackupRepository({
    store,
    secret: { kind: 'passphrase', passphrase },
    randomBytes: random.bytes,
    now,
    holder: { machine: 'test', pid: 1 },
    isAlive: () => true,
    kdfCost: { N: 16, r: 8, p: 1 },
  })
}

export const blobsOf = (pds: TestPds) => openBlobStore({ blobsDirectory: join(pds.folder, 'blobs') })

export const backUp = async (pds: TestPds, repository: BackupRepository, more: { test?: boolean } = {}) =>
  createBackup({
    repository,
    dataDirectory: pds.folder,
    blobs: await blobsOf(pds),
    configuration: configurationOf(pdsSettings, ENVIRONMENT, { withSecrets: true }),
    publicUrl: 'https://pds.test',
    now: pds.clock.now,
    ...more,
  })

export async function post(
  pds: TestPds,
  { did, accessJwt: token }: TestAccount,
  rkey: string,
  more = {},
): Promise<string> {
  const { status, body } = await pds.procedure('com.atproto.repo.createRecord', {
    token,
    body: { repo: did, collection: NOTE, rkey, record: { rkey, ...more } },
  })
  assert.equal(status, 200, JSON.stringify(body))
  return body.cid
}

export const blobBytes = (seed: number) => createRandom(seed).bytes(50_000)

export async function postBlob(pds: TestPds, account: TestAccount, seed: number): Promise<string> {
  const { body } = await pds.procedure('com.atproto.repo.uploadBlob', {
    token: account.accessJwt,
    body: blobBytes(seed),
    headers: { 'content-type': 'image/png' },
  })
  await post(pds, account, `blob-${seed}`, { blob: body.blob })
  return body.blob.ref.$link
}
