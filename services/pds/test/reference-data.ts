// Data directories as the reference PDS leaves them, made by code: any number of accounts, and any fault in them.
import { createHash, scryptSync } from 'node:crypto'
import { mkdirSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { importKeypair, type Keypair } from '@imago/crypto'
import { type Block, BlockMap, cidOfDrisl, cidOfRaw, encode, writeCar } from '@imago/data'
import { writeCommit } from '@imago/repo'
import { createRandom, type Random } from '@imago/sim/random'
import { type Did, type Tid, tidFromMicros } from '@imago/syntax'

const ACCOUNT_TABLES = `
  CREATE TABLE app_password (did varchar NOT NULL, name varchar NOT NULL, "passwordScrypt" varchar NOT NULL,
    "createdAt" varchar NOT NULL, privileged integer DEFAULT 0 NOT NULL, PRIMARY KEY (did, name));
  CREATE TABLE invite_code (code varchar PRIMARY KEY, "availableUses" integer NOT NULL, disabled int2 DEFAULT 0,
    "forAccount" varchar NOT NULL, "createdBy" varchar NOT NULL, "createdAt" varchar NOT NULL);
  CREATE TABLE invite_code_use (code varchar NOT NULL, "usedBy" varchar NOT NULL, "usedAt" varchar NOT NULL,
    PRIMARY KEY (code, "usedBy"));
  CREATE TABLE refresh_token (id varchar PRIMARY KEY, did varchar NOT NULL, "expiresAt" varchar NOT NULL,
    "nextId" varchar, "appPasswordName" varchar);
  CREATE TABLE repo_root (did varchar PRIMARY KEY, cid varchar NOT NULL, rev varchar NOT NULL,
    "indexedAt" varchar NOT NULL);
  CREATE TABLE actor (did varchar PRIMARY KEY, handle varchar, "createdAt" varchar NOT NULL, "takedownRef" varchar,
    "deactivatedAt" varchar, "deleteAfter" varchar);
  CREATE UNIQUE INDEX actor_handle_lower_idx ON actor (lower(handle));
  CREATE TABLE account (did varchar PRIMARY KEY, email varchar NOT NULL, "passwordScrypt" varchar NOT NULL,
    "emailConfirmedAt" varchar, "invitesDisabled" int2 DEFAULT 0 NOT NULL);
  CREATE TABLE email_token (purpose varchar NOT NULL, did varchar NOT NULL, token varchar NOT NULL,
    "requestedAt" varchar NOT NULL, PRIMARY KEY (purpose, did));
  CREATE TABLE device (id varchar PRIMARY KEY, "sessionId" varchar NOT NULL);`

const SEQUENCER_TABLES = `
  CREATE TABLE repo_seq (seq integer PRIMARY KEY AUTOINCREMENT, did varchar NOT NULL, "eventType" varchar NOT NULL,
    event blob NOT NULL, invalidated int2 DEFAULT 0 NOT NULL, "sequencedAt" varchar NOT NULL);
  CREATE INDEX repo_seq_did_idx ON repo_seq (did);`

const ACTOR_TABLES = `
  CREATE TABLE repo_root (did varchar PRIMARY KEY, cid varchar NOT NULL, rev varchar NOT NULL,
    "indexedAt" varchar NOT NULL);
  CREATE TABLE repo_block (cid varchar PRIMARY KEY, "repoRev" varchar NOT NULL, size integer NOT NULL,
    content blob NOT NULL);
  CREATE TABLE record (uri varchar PRIMARY KEY, cid varchar NOT NULL, collection varchar NOT NULL,
    rkey varchar NOT NULL, "repoRev" varchar NOT NULL, "indexedAt" varchar NOT NULL, "takedownRef" varchar);
  CREATE TABLE blob (cid varchar PRIMARY KEY, "mimeType" varchar NOT NULL, size integer NOT NULL, "tempKey" varchar,
    width integer, height integer, "createdAt" varchar NOT NULL, "takedownRef" varchar);
  CREATE TABLE record_blob ("blobCid" varchar NOT NULL, "recordUri" varchar NOT NULL,
    PRIMARY KEY ("blobCid", "recordUri"));
  CREATE TABLE backlink (uri varchar NOT NULL, path varchar NOT NULL, "linkTo" varchar NOT NULL,
    PRIMARY KEY (uri, path));
  CREATE TABLE account_pref (id integer PRIMARY KEY AUTOINCREMENT, name varchar NOT NULL, "valueJson" text NOT NULL);`

const MIGRATIONS = `
  CREATE TABLE kysely_migration (name varchar(255) PRIMARY KEY, timestamp varchar(255) NOT NULL);
  CREATE TABLE kysely_migration_lock (id varchar(255) PRIMARY KEY, is_locked integer DEFAULT 0 NOT NULL);
  INSERT INTO kysely_migration_lock VALUES ('migration_lock', 0);`

export interface SampleAccount {
  readonly did: Did
  readonly handle: string
  readonly password: string
  readonly keypair: Keypair
  readonly rev: Tid
  readonly records: readonly { readonly path: string; readonly block: Block }[]
  readonly blob: Block
}

export interface SampleOptions {
  readonly accounts: number
  /** Records of each, beside the one that names its blob. */
  readonly records?: number
  /** Bytes of text in each record. */
  readonly recordBytes?: number
  readonly seed?: number
  /** Names of parts, as other versions and other servers write them. */
  readonly names?: { readonly accountDatabase?: string; readonly blobs?: string }
  /** Moment of the last event, in milliseconds. */
  readonly nowMs?: number
}

export interface SampleReference {
  readonly folder: string
  readonly accounts: readonly SampleAccount[]
  readonly blobsFolder: string
  /** Opens a database of it, to break something. */
  edit(name: 'account' | 'sequencer' | Did, work: (sqlite: DatabaseSync) => void): void
  actorFolder(did: Did): string
}

/** The environment that belongs to it. */
export const SAMPLE_ENVIRONMENT = {
  PDS_HOSTNAME: 'pds.test',
  PDS_JWT_SECRET: 'a secret of the tests, long enough',
  PDS_PLC_ROTATION_KEY_K256_PRIVATE_KEY_HEX: '07'.repeat(32),
  PDS_INVITE_REQUIRED: 'false',
}

/** Cheap for many accounts: real hashes cost 50 ms each. */
const passwords = new Map<string, string>()
function passwordHash(password: string): string {
  const known = passwords.get(password)
  if (known !== undefined) return known
  const salt = '00112233445566778899aabbccddeeff'
  const hash = `${salt}:${scryptSync(password, salt, 64).toString('hex')}`
  passwords.set(password, hash)
  return hash
}

/** Writes a data directory. The same options give the same bytes. */
export function writeSampleReference(folder: string, options: SampleOptions): SampleReference {
  const { seed = 1, names = {}, nowMs = Date.UTC(2026, 0, 1) } = options
  const random = createRandom(seed)
  const accountFile = names.accountDatabase ?? 'account.sqlite'
  const blobsFolder = join(folder, names.blobs ?? 'blocks')
  mkdirSync(folder, { recursive: true })
  const at = new Date(nowMs).toISOString()
  using accountDatabase = create(join(folder, accountFile), ACCOUNT_TABLES, 7, at)
  using sequencer = create(join(folder, 'sequencer.sqlite'), SEQUENCER_TABLES, 1, at)
  const actorFolder = (did: Did) =>
    join(folder, 'actors', createHash('sha256').update(did).digest('hex').slice(0, 2), did)
  const accounts = Array.from({ length: options.accounts }, (_, index) => {
    const account = createAccount(random, index, options, nowMs)
    writeAccount(account, accountDatabase.sqlite, sequencer.sqlite, actorFolder(account.did), blobsFolder, at)
    return account.about
  })
  accountDatabase.sqlite.exec('COMMIT')
  sequencer.sqlite.exec('COMMIT')
  return {
    folder,
    accounts,
    blobsFolder,
    actorFolder,
    edit(name, work) {
      const file = name === 'account' ? accountFile : name === 'sequencer' ? 'sequencer.sqlite' : undefined
      const sqlite = new DatabaseSync(
        file ? join(folder, file) : join(actorFolder(name as Did), 'store.sqlite'),
      )
      work(sqlite)
      sqlite.close()
    },
  }
}

function create(
  path: string,
  tables: string,
  migrations: number,
  at: string,
): { sqlite: DatabaseSync } & Disposable {
  mkdirSync(dirname(path), { recursive: true })
  const sqlite = new DatabaseSync(path)
  sqlite.exec(`PRAGMA journal_mode = WAL; PRAGMA synchronous = OFF; BEGIN; ${tables} ${MIGRATIONS}`)
  const insert = sqlite.prepare('INSERT INTO kysely_migration VALUES (?, ?)')
  for (let i = 1; i <= migrations; i++) insert.run(String(i).padStart(3, '0'), at)
  return { sqlite, [Symbol.dispose]: () => sqlite.close() }
}

type NewAccount = ReturnType<typeof createAccount>

function createAccount(random: Random, index: number, options: SampleOptions, nowMs: number) {
  const keypair = importKeypair('k256', random.bytes(32))
  const did: Did = `did:plc:${[...random.bytes(24)].map((byte) => 'abcdefghijklmnopqrstuvwxyz234567'[byte & 31]).join('')}`
  const blobBytes = random.bytes(200)
  const blob = { cid: cidOfRaw(blobBytes), bytes: blobBytes }
  const blocks = Array.from({ length: options.records ?? 10 }, (_, n) => {
    const bytes = encode({ $type: 'com.example.note', n, text: 'x'.repeat(options.recordBytes ?? 20) })
    return { path: `com.example.note/note-${n}`, block: { cid: cidOfDrisl(bytes), bytes } }
  })
  const picture = encode({
    $type: 'com.example.picture',
    picture: { $type: 'blob', ref: blob.cid, mimeType: 'image/png', size: blobBytes.length },
  })
  const records = [
    ...blocks,
    { path: 'com.example.picture/self', block: { cid: cidOfDrisl(picture), bytes: picture } },
  ]
  const rev = tidFromMicros(nowMs * 1000 + index, 1)
  const commit = writeCommit({
    did,
    source: new BlockMap(),
    head: null,
    writes: records.map(({ path, block }) => ({ action: 'create', path, block })),
    rev,
    keypair,
  })
  const about: SampleAccount = {
    did,
    handle: `user${index}.test`,
    password: `password of user${index % 3}`,
    keypair,
    rev,
    records,
    blob,
  }
  return { did, index, commit, about }
}

function writeAccount(
  { did, index, commit, about }: NewAccount,
  accounts: DatabaseSync,
  sequencer: DatabaseSync,
  folder: string,
  blobsFolder: string,
  at: string,
): void {
  const { handle, password, keypair, rev, records, blob } = about
  const root = commit.signed.cid.toString()
  accounts
    .prepare('INSERT INTO actor (did, handle, createdAt) VALUES (?, ?, ?)')
    .run(did, handle, new Date(Date.parse(at) + index).toISOString())
  accounts
    .prepare('INSERT INTO account (did, email, passwordScrypt) VALUES (?, ?, ?)')
    .run(did, `${handle}@example.com`, passwordHash(password))
  accounts.prepare('INSERT INTO repo_root VALUES (?, ?, ?, ?)').run(did, root, rev, at)
  const body = {
    repo: did,
    commit: commit.signed.cid,
    rev,
    since: null,
    blocks: writeCar([commit.signed.cid], commit.frameBlocks),
    ops: commit.ops.map(({ action, path, cid }) => ({ action, path, cid })),
    rebase: false,
    tooBig: false,
    blobs: [],
  }
  sequencer
    .prepare('INSERT INTO repo_seq (did, eventType, event, sequencedAt) VALUES (?, ?, ?, ?)')
    .run(did, 'append', encode(body), at)

  using store = create(join(folder, 'store.sqlite'), ACTOR_TABLES, 1, at)
  const { sqlite } = store
  writeFileSync(join(folder, 'key'), keypair.exportSecret())
  sqlite.prepare('INSERT INTO repo_root VALUES (?, ?, ?, ?)').run(did, root, rev, at)
  const putBlock = sqlite.prepare('INSERT OR IGNORE INTO repo_block VALUES (?, ?, ?, ?)')
  for (const { cid, bytes } of commit.newBlocks) putBlock.run(cid.toString(), rev, bytes.length, bytes)
  const putRecord = sqlite.prepare('INSERT INTO record VALUES (?, ?, ?, ?, ?, ?, NULL)')
  for (const { path, block } of records) {
    const [collection, rkey] = path.split('/') as [string, string]
    putRecord.run(`at://${did}/${path}`, block.cid.toString(), collection, rkey, rev, at)
  }
  const cid = blob.cid.toString()
  sqlite
    .prepare('INSERT INTO blob (cid, mimeType, size, createdAt) VALUES (?, ?, ?, ?)')
    .run(cid, 'image/png', blob.bytes.length, at)
  sqlite.prepare('INSERT INTO record_blob VALUES (?, ?)').run(cid, `at://${did}/com.example.picture/self`)
  sqlite.exec('COMMIT')
  mkdirSync(join(blobsFolder, did), { recursive: true })
  writeFileSync(join(blobsFolder, did, cid), blob.bytes)
}
