// The auditor of the command line against a real directory and its witness, behind a proxy that tampers: each misdeed has
// its exit code, and leaves evidence that a third party judges again.
import assert from 'node:assert/strict'
import { cpSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import { generateKeypair } from '@imago/crypto'
import { cidOfDrisl } from '@imago/data'
import { createGenesis, type Operation, operationBytes, updateOperation } from '@imago/identity/plc'
import { readOrCreateSecret } from '@imago/service'
import { formatNote, parseCheckpoint, parseNote } from '@imago/tlog'
import { openSqlitePlcStore } from '../services/plc/src/lib/store/sqlite-plc-store.ts'
import { deriveLogKeys } from '../services/plc/src/lib/transparency/log-keys.ts'
import { createGrowTree } from '../services/plc/src/lib/transparency/tree-growth.ts'
import { imago } from './imago-command.ts'
import { type ServiceProcess, startService } from './plc-process.ts'
import { until } from './until.ts'

const ORIGIN = 'plc.test/log'
const [owner, host] = [generateKeypair('k256'), generateKeypair('p256')]
const genesis = () =>
  createGenesis(
    {
      rotationKeys: [owner.didKey, host.didKey],
      verificationMethods: {},
      alsoKnownAs: [crypto.randomUUID()],
      services: {},
    },
    host,
  )

const resources = new AsyncDisposableStack()
after(() => resources.disposeAsync())
let folder: string
let shown: ServiceProcess
/** What the proxy does to an answer. */
let tamper: (path: string, body: string) => string | Uint8Array | undefined
let target: string
let proxy: string
let policy: string

/** A witness with the one secret, and a memory of its own. @returns the policy that demands it. */
async function startWitness(name: string): Promise<string> {
  const witness = resources.use(
    await startService('witness', {
      WITNESS_NAME: 'witness.test',
      WITNESS_LOGS_FILE: join(folder, 'logs'),
      WITNESS_SECRET_FILE: join(folder, 'witness.secret'),
      WITNESS_DATABASE_FILE: join(folder, `${name}.sqlite`),
    }),
  )
  const { vkeys } = (await (await fetch(`${witness.url}/_health`)).json()) as { vkeys: string[] }
  const file = join(folder, `${name}.policy`)
  const log = readFileSync(join(folder, 'logs'), 'utf8')
  writeFileSync(file, `${log}\nwitness w ${vkeys[0]} ${witness.url}\nquorum w\n`)
  return file
}

async function startDirectory(name: string, policyFile: string): Promise<ServiceProcess> {
  return resources.use(
    await startService('plc', {
      PLC_DATABASE_FILE: join(folder, name, 'plc.sqlite'),
      PLC_LOG_ORIGIN: ORIGIN,
      PLC_LOG_SEED_FILE: join(folder, 'log.seed'),
      PLC_LOG_POLICY_FILE: policyFile,
    }),
  )
}

async function submit({ url }: ServiceProcess, { did, operation } = genesis()): Promise<void> {
  const headers = { 'content-type': 'application/json' }
  const answer = await fetch(`${url}/${did}`, { method: 'POST', headers, body: JSON.stringify(operation) })
  assert.equal(answer.status, 200, await answer.text())
}

const published = ({ url }: ServiceProcess, size: number) =>
  until(`a checkpoint of ${size}`, async () => {
    const answer = await fetch(`${url}/log/checkpoint`)
    if (!answer.ok) return undefined
    return parseCheckpoint(await answer.text()).checkpoint.size === size ? true : undefined
  })

async function grow(plc: ServiceProcess, count: number): Promise<ServiceProcess> {
  for (let i = 0; i < count; i++) await submit(plc)
  await published(plc, count)
  return plc
}

before(async () => {
  folder = mkdtempSync(join(tmpdir(), 'imago-plc-audit-'))
  resources.defer(() => rmSync(folder, { recursive: true }))
  const keys = deriveLogKeys(ORIGIN, readOrCreateSecret(join(folder, 'log.seed')), Date.now)
  writeFileSync(join(folder, 'logs'), `log ${keys.ed25519.verifier.vkey}`)
  policy = await startWitness('witness')
  shown = await grow(await startDirectory('shown', policy), 5)

  const server = createServer(async (request, response) => {
    const path = request.url!
    const answer = await fetch(target + path)
    const body = Buffer.from(await answer.arrayBuffer())
    response.writeHead(answer.status, { 'content-type': answer.headers.get('content-type') ?? '' })
    response.end(tamper(path, body.toString('latin1')) ?? body)
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  resources.defer(() => void server.close())
  proxy = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
})

const honest: typeof tamper = () => undefined

/** Audits what the proxy shows of a directory. */
async function audit(data: string, of: ServiceProcess = shown, by: typeof tamper = honest) {
  target = of.url
  tamper = by
  const done = await imago([
    'plc',
    'audit',
    '--log',
    proxy,
    '--policy',
    policy,
    '--data',
    data,
    '--samples',
    '50',
    '--json',
  ])
  const said = done.stdout.trim().split('\n').at(-1) || '{}'
  return { code: done.code, said: JSON.parse(said), stderr: done.stderr }
}

const judge = (file: string) => imago(['plc', 'audit', '--policy', policy, '--judge', file, '--json'])

/** Raises the alarm, and has others judge the evidence as it is and as it must not be. */
async function assertAlarm(
  { code, said, stderr }: Awaited<ReturnType<typeof audit>>,
  expected: number,
  alarm: string,
): Promise<void> {
  assert.deepEqual([code, said.alarm], [expected, alarm], JSON.stringify(said) + stderr)
  const verdict = await judge(said.evidence)
  assert.equal(verdict.code, 0, verdict.stdout + verdict.stderr)
  const evidence = JSON.parse(readFileSync(said.evidence, 'utf8'))
  const made = `${said.evidence}.made-up`
  const altered = (text?: string) => text?.replace(`${ORIGIN}\n`, `${ORIGIN}.evil\n`)
  const { checkpoint, proof } = evidence
  writeFileSync(made, JSON.stringify({ ...evidence, checkpoint: altered(checkpoint), proof: altered(proof) }))
  assert.equal((await judge(made)).code, 1, 'made-up evidence is unfounded')
}

let audited: string
/** What an auditor remembers that has seen the honest log. */
function memory(name: string): string {
  const data = join(folder, name)
  cpSync(audited, data, { recursive: true })
  return data
}

test('[PLC-38] an honest directory passes: exit code 0, again and again', async () => {
  audited = join(folder, 'audited')
  const first = await audit(audited)
  assert.equal(first.code, 0, first.stderr)
  assert.deepEqual([first.said.size, first.said.newEntries], [5, 5])
  assert.equal(first.said.witnesses.length, 1)
  const second = await audit(audited)
  assert.deepEqual([second.code, second.said.newEntries], [0, 0])
  assert.deepEqual(
    readdirSync(audited).filter((name) => name.startsWith('alarm')),
    [],
  )
})

test('10: a checkpoint that is forged, or that no witness has signed', async () => {
  const forged = await audit(memory('forged'), shown, (path, body) => {
    if (path !== '/log/checkpoint') return undefined
    const note = parseNote(Buffer.from(body, 'latin1').toString())
    return formatNote({ ...note, text: note.text.replace('\n5\n', '\n6\n') })
  })
  assert.deepEqual([forged.code, forged.said.alarm], [10, 'Untrusted'], forged.stderr)
  const unwitnessed = await audit(memory('unwitnessed'), shown, (path, body) => {
    if (path !== '/log/checkpoint') return undefined
    const note = parseNote(Buffer.from(body, 'latin1').toString())
    return formatNote({ ...note, signatures: note.signatures.filter(({ name }) => name === ORIGIN) })
  })
  assert.deepEqual([unwitnessed.code, unwitnessed.said.alarm], [10, 'Untrusted'])
})

test('11, 12, 13: another history, signed by the same key and by a witness that plays along', async () => {
  for (const [size, code, alarm] of [
    [4, 11, 'Rollback'],
    [5, 12, 'Split'],
    [9, 13, 'Fork'],
  ] as const) {
    const colluding = await startWitness(`colluding-${size}`)
    const other = await grow(await startDirectory(`other-${size}`, colluding), size)
    await assertAlarm(await audit(memory(alarm), other), code, alarm)
  }
})

test('14: one bit of the tiles, or of the entries', async () => {
  for (const path of ['/log/tile/0/000.p/5', '/log/tile/entries/000.p/5']) {
    let hits = 0
    const { code, said } = await audit(
      join(folder, `bit${path.replaceAll('/', '-')}`),
      shown,
      (asked, body) => {
        if (asked !== path) return undefined
        hits++
        const bytes = Buffer.from(body, 'latin1')
        bytes[20]! ^= 1
        return bytes
      },
    )
    assert.deepEqual([code, said.alarm], [14, 'Tiles'])
    assert.ok(hits > 0)
  }
})

test('15: an operation in the log that nobody with a key has signed', async () => {
  const keys = deriveLogKeys(ORIGIN, readOrCreateSecret(join(folder, 'log.seed')), Date.now)
  const { did, operation } = genesis()
  const forged: Operation = {
    ...updateOperation(operation, { alsoKnownAs: ['x'] }, host),
    sig: operation.sig,
  }
  const colluding = await startWitness('colluding-entry')
  // The directory makes its folder at its first start.
  await (await startDirectory('forging', colluding)).kill('SIGTERM')
  {
    await using store = openSqlitePlcStore({
      databaseFile: join(folder, 'forging', 'plc.sqlite'),
      now: Date.now,
      growTree: createGrowTree(ORIGIN, keys.ed25519),
    })
    for (const [i, one] of [operation, forged].entries()) {
      const cid = cidOfDrisl(operationBytes(one))
      const entry = { operation: one, cid, createdAt: 1000 + i, signer: 0, nullified: false }
      await store.commit(did, () => ({ kind: 'accept', verdict: { entry, nullified: [] } }))
    }
  }
  const forging = await startDirectory('forging', colluding)
  await published(forging, 2)
  await assertAlarm(await audit(join(folder, 'entry'), forging), 15, 'Entry')
})

test('16: an API that tells another history than the log', async () => {
  const changed = (pattern: RegExp, from: string, to: string) => (path: string, body: string) =>
    pattern.test(path) ? body.replace(from, to) : undefined
  await assertAlarm(
    await audit(memory('data'), shown, changed(/\/data$/, owner.didKey, host.didKey)),
    16,
    'Disagreement',
  )
  await assertAlarm(
    await audit(memory('log'), shown, changed(/\/log\/audit$/, '"nullified":false', '"nullified":true')),
    16,
    'Disagreement',
  )
})

test('1: a directory that does not answer is no alarm', async () => {
  const { code, stderr } = await audit(memory('silent'), shown, () => 'x')
  assert.notEqual(code, 0)
  target = 'http://127.0.0.1:9'
  const gone = await imago(['plc', 'audit', '--log', target, '--policy', policy, '--data', memory('gone')])
  assert.equal(gone.code, 1, gone.stderr + stderr)
})
