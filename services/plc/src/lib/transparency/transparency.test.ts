import assert from 'node:assert/strict'
import { copyFileSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import test from 'node:test'
import { generateKeypair } from '@imago/crypto'
import { createGenesis, type Operation } from '@imago/identity/plc'
import {
  bundlePath,
  createSigningKey,
  formatSignatureLine,
  hashLeaf,
  judgeAddCheckpoint,
  newTiles,
  parseAddCheckpoint,
  parseCheckpoint,
  parseTlogProof,
  parseTrustPolicy,
  readEntryBundle,
  signText,
  tilePath,
  treeRoot,
  verifyTlogProof,
  withTiles,
} from '@imago/tlog'
import { createPlc, type PlcOptions } from '../create-plc.ts'
import { decodeLogEntry } from './log-entry.ts'
import { deriveLogKeys } from './log-keys.ts'

const origin = 'plc.test/log'
const owner = generateKeypair('k256')
const genesisOf = (name: string) =>
  createGenesis(
    {
      rotationKeys: [owner.didKey],
      verificationMethods: {},
      alsoKnownAs: [`at://${name}.test`],
      services: {},
    },
    owner,
  )

const submission = (did: string, operation: Operation) =>
  new Request(`http://plc/${did}`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(operation),
  })

async function directory(
  folder: string,
  options: Partial<NonNullable<PlcOptions['transparency']>> = {},
  now = Date.now,
) {
  const plc = await createPlc({
    databaseFile: join(folder, 'plc.sqlite'),
    now,
    transparency: {
      origin,
      seed: new Uint8Array(32).fill(7),
      checkpointFile: join(folder, 'log.checkpoint'),
      ...options,
    },
  })
  const get = (path: string) => plc.fetch(new Request(`http://plc${path}`))
  return {
    plc,
    get,
    submit: (did: string, operation: Operation) => plc.fetch(submission(did, operation)),
    text: async (path: string) => {
      const response = await get(path)
      assert.equal(response.status, 200, path)
      return await response.text()
    },
    async register(name: string) {
      const { did, operation } = genesisOf(name)
      const response = await plc.fetch(submission(did, operation))
      assert.equal(response.status, 200)
      return { did, operation }
    },
    [Symbol.asyncDispose]: () => plc[Symbol.asyncDispose](),
  }
}

async function inFolder(body: (folder: string) => Promise<void>): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), 'imago-log-'))
  try {
    await body(folder)
  } finally {
    rmSync(folder, { recursive: true })
  }
}

/** The published log, read as a stranger reads it. */
async function readLog(get: (path: string) => Promise<Response>) {
  const bytes = async (path: string) => {
    const response = await get(`/log/${path}`)
    assert.equal(response.status, 200, path)
    return new Uint8Array(await response.arrayBuffer())
  }
  const { checkpoint } = parseCheckpoint(await (await get('/log/checkpoint')).text())
  const root = await withTiles(
    checkpoint.size,
    (tile) => bytes(tilePath(tile)),
    (source) => treeRoot(source, checkpoint.size),
  )
  assert.deepEqual(root, checkpoint.root)
  const entries: Uint8Array[] = []
  for (const { level, index, width } of newTiles(0, checkpoint.size))
    if (level === 0) entries.push(...readEntryBundle(await bytes(bundlePath({ index, width })), width))
  return { checkpoint, entries }
}

test('[PLC-38] every accepted operation is an entry, proven by a file that needs no network', () =>
  inFolder(async (folder) => {
    await using here = await directory(folder)
    assert.equal((await here.get('/log/checkpoint')).status, 404)
    const accounts = await Promise.all(Array.from({ length: 300 }, (_, i) => here.register(`user${i}`)))
    const { log } = (await (await here.get('/_health')).json()) as {
      log: { origin: string; vkeys: string[] }
    }
    assert.equal(log.origin, origin)
    for (const vkey of log.vkeys) {
      // Either key alone is enough to believe the log.
      const policy = parseTrustPolicy(`log ${vkey}\nquorum none\n`)
      for (const { did } of [accounts[0]!, accounts[255]!, accounts[299]!]) {
        const proof = await here.text(`/${did}/log/proof`)
        const entry = parseTlogProof(proof).extra!
        verifyTlogProof(proof, hashLeaf(entry), policy)
        assert.equal(decodeLogEntry(entry).did, did)
        assert.throws(() => verifyTlogProof(proof, hashLeaf(entry.subarray(1)), policy), {
          code: 'InvalidProof',
        })
      }
    }
    const { checkpoint, entries } = await readLog(here.get)
    assert.equal(checkpoint.size, 300)
    const exported = (await here.text('/export?after=0')).split('\n').map((line) => JSON.parse(line))
    assert.deepEqual(
      entries.map(decodeLogEntry).map(({ did, cid, createdAt }) => [did, cid.toString(), createdAt]),
      exported.map(({ did, cid, createdAt }) => [did, cid, Date.parse(createdAt)]),
    )
    assert.equal((await here.get('/log/tile/0/000.p/256')).status, 404)
    assert.equal((await here.get('/log/tile/0/001.p/45')).status, 404)
    assert.equal((await here.get('/log/tile/0/001')).status, 404)
    assert.equal((await here.get('/log/tile/0/001.p/44')).status, 200)
    assert.equal((await here.get(`/${accounts[0]!.did}/log/proof?cid=bad`)).status, 404)
  }))

test('the log goes on where it stood, and a database that is older than it is refused', () =>
  inFolder(async (folder) => {
    const databaseFile = join(folder, 'plc.sqlite')
    const snapshot = join(folder, 'before.sqlite')
    {
      await using here = await directory(folder)
      await here.register('a')
    }
    copyFileSync(databaseFile, snapshot)
    {
      await using here = await directory(folder)
      const { did } = await here.register('b')
      await here.text(`/${did}/log/proof`)
      assert.equal((await readLog(here.get)).checkpoint.size, 2)
    }
    copyFileSync(snapshot, databaseFile)
    await assert.rejects(directory(folder), /published 2 entries, and the database holds 1/)
    const db = new DatabaseSync(databaseFile)
    db.exec(
      'UPDATE tree_hash SET hash = zeroblob(32) WHERE place = 0; INSERT INTO tree_hash VALUES (0, 1, zeroblob(32)); UPDATE checkpoint SET size = 2',
    )
    db.close()
    await assert.rejects(directory(folder), /another database, or a damaged one/)
  }))

test('a database from before the log: its history enters the log first', () =>
  inFolder(async (folder) => {
    const databaseFile = join(folder, 'plc.sqlite')
    const { did, operation } = genesisOf('a')
    {
      await using plc = await createPlc({ databaseFile })
      await plc.fetch(submission(did, operation))
    }
    await using here = await directory(folder)
    await here.register('b')
    const { did: third } = await here.register('c')
    await here.text(`/${third}/log/proof`)
    const { entries } = await readLog(here.get)
    assert.deepEqual([decodeLogEntry(entries[0]!).did, entries.length], [did, 3])
  }))

test('a failed transaction leaves the log as it was', () =>
  inFolder(async (folder) => {
    await using here = await directory(folder)
    await here.register('a')
    const saboteur = new DatabaseSync(join(folder, 'plc.sqlite'))
    saboteur.exec(
      "CREATE TRIGGER full BEFORE INSERT ON checkpoint BEGIN SELECT RAISE(ABORT, 'disk full'); END",
    )
    const { did, operation } = genesisOf('b')
    const submit = () => here.submit(did, operation)
    assert.equal((await submit()).status, 500)
    assert.equal((await here.get(`/${did}`)).status, 404)
    saboteur.exec('DROP TRIGGER full')
    saboteur.close()
    assert.equal((await submit()).status, 200)
    await here.text(`/${did}/log/proof`)
    assert.equal((await readLog(here.get)).checkpoint.size, 2)
  }))

test('with witnesses, only what the quorum has cosigned is shown', () =>
  inFolder(async (folder) => {
    const witness = createSigningKey('w.test', 'ed25519-cosignature', new Uint8Array(32).fill(1))
    let last: { size: number; root: Uint8Array } | undefined
    let isUp = true
    const asked: number[] = []
    const fetch = async (_: unknown, init?: RequestInit) => {
      if (!isUp) return new Response('down', { status: 500 })
      const request = parseAddCheckpoint(String(init!.body))
      const keys = request.signed.note.signatures.filter(({ name }) => name === origin)
      assert.equal(keys.length, 2, 'signed with both keys')
      const verdict = judgeAddCheckpoint(request, [logKey], last)
      asked.push(verdict.status)
      if (verdict.status === 409)
        return new Response(`${verdict.size}\n`, {
          status: 409,
          headers: { 'content-type': 'text/x.tlog.size' },
        })
      assert.equal(verdict.status, 200)
      last = request.signed.checkpoint
      return new Response(formatSignatureLine(signText(request.signed.note.text, [witness])[0]!))
    }
    const logKey = deriveLogKeys(origin, new Uint8Array(32).fill(7), Date.now).ed25519.verifier
    const policy = parseTrustPolicy(`witness w ${witness.verifier.vkey} https://w.test\nquorum w\n`)
    const options = { policy, fetch: fetch as typeof globalThis.fetch }
    {
      await using here = await directory(folder, options)
      const { did } = await here.register('a')
      await here.text(`/${did}/log/proof`)
      isUp = false
      const second = await here.register('b')
      await here.plc.transparencyLog!.publish()
      assert.equal((await readLog(here.get)).checkpoint.size, 1)
      isUp = true
      const proof = await here.text(`/${second.did}/log/proof`)
      const believing = parseTrustPolicy(`log ${logKey.vkey}\nwitness w ${witness.verifier.vkey}\nquorum w\n`)
      verifyTlogProof(proof, hashLeaf(parseTlogProof(proof).extra!), believing)
    }
    // A log that starts anew has forgotten what the witness knows: it is told, and continues from there.
    await using here = await directory(folder, options)
    const { did } = await here.register('c')
    await here.text(`/${did}/log/proof`)
    assert.deepEqual(asked, [200, 200, 409, 200])
  }))
