import assert from 'node:assert/strict'
import { importKeypair, type Keypair } from '@imago/crypto'
import { fromBase64url, toBase64url } from '@imago/data/multibase'
import type { FuzzTarget } from '@imago/sim/fuzz'
import {
  isNaiveOperation,
  type NaiveEntry,
  naiveDid,
  naiveJudge,
  naiveUnsigned,
  WINDOW_MS,
} from '@imago/sim/naive-plc'
import { createGenesis, signOperation, tombstoneOperation, updateOperation } from './author-operation.ts'
import type { LegacyCreate, Operation, PlcOperation } from './operation.ts'
import { parseOperation } from './parse-operation.ts'
import { PlcError } from './plc-error.ts'
import { acceptOperation, createLog, judgeOperation, type PlcLog } from './plc-log.ts'

type Json = Readonly<Record<string, unknown>>

const keypairs: readonly Keypair[] = [1, 2, 3, 4].map((n) =>
  importKeypair('p256', new Uint8Array(32).fill(n)),
)
const [strong, weak] = keypairs as [Keypair, Keypair]
const k256 = importKeypair('k256', new Uint8Array(32).fill(9))

/** What `read` gives, or `undefined` where it was refused; whatever else it throws is a bug. */
function unlessRefused<T>(read: () => T): T | undefined {
  try {
    return read()
  } catch (error) {
    if (!(error instanceof PlcError)) throw error
    return undefined
  }
}

const HOUR_MS = 3_600_000
const { did, operation: genesis } = createGenesis(
  {
    rotationKeys: [strong.didKey, weak.didKey],
    verificationMethods: { atproto: k256.didKey },
    alsoKnownAs: ['at://alice.test'],
    services: { atproto_pds: { type: 'AtprotoPersonalDataServer', endpoint: 'https://pds.test' } },
  },
  weak,
)
const second = updateOperation(genesis, { alsoKnownAs: ['at://bob.test', 'https://Grüße.test/😀'] }, weak)

const log = createLog(did)
let naiveLog: NaiveEntry[] = []
for (const [i, operation] of [genesis, second].entries()) {
  acceptOperation(log, operation, i * HOUR_MS)
  naiveLog = naiveJudge(did, naiveLog, operation as unknown as Json, i * HOUR_MS)!
}

/** What the first byte of an input says: how the operation behind it comes to its signature, and where it goes. */
const MODE = {
  signedByWeak: 1,
  signedByStrong: 2,
  replay: 4,
  genesis: 8,
} as const

const inputOf = (mode: number, operation: unknown) =>
  Buffer.concat([Buffer.of(mode), Buffer.from(JSON.stringify(operation))])

const P256_ORDER = 0xffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551n

/** The same operation with other spellings of its signature, or another signature that the same key made as well. */
function malleated(operation: PlcOperation): PlcOperation[] {
  const bytes = fromBase64url(operation.sig)
  const s = BigInt(`0x${bytes.subarray(32).toHex()}`)
  const high = bytes.slice()
  high.set(Uint8Array.fromHex((P256_ORDER - s).toString(16).padStart(64, '0')), 32)
  const der = Buffer.concat([
    Buffer.of(0x30, 68, 2, 32),
    bytes.subarray(0, 32),
    Buffer.of(2, 32),
    bytes.subarray(32),
  ])
  const last = operation.sig.at(-1)!
  const ALPHABET = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_'
  const neighbour = ALPHABET[ALPHABET.indexOf(last) + 1]!
  return [
    toBase64url(high),
    `${operation.sig}==`,
    `${operation.sig}\n`,
    ` ${operation.sig}`,
    operation.sig.slice(0, -1) + neighbour,
    operation.sig.replaceAll('-', '+').replaceAll('_', '/').replace(/^./, '+'),
    der.toString('base64url'),
    bytes.toHex(),
    '',
  ].map((sig) => ({ ...operation, sig }))
}

const third = updateOperation(second, { alsoKnownAs: ['at://carol.test'] }, weak)
const recovery = updateOperation(genesis, { rotationKeys: [strong.didKey] }, strong)
const legacy = signOperation<LegacyCreate>(
  {
    type: 'create',
    signingKey: weak.didKey,
    recoveryKey: strong.didKey,
    handle: 'alice.test',
    service: 'pds.test',
    prev: null,
  },
  weak,
)

/** Whatever a directory accepts of mutated operations, the rules as written down a second time accept, and no less. */
export const target: FuzzTarget = {
  name: 'plc',
  maxBytes: 12_000,
  dictionary: [
    '__proto__',
    'constructor',
    'plc_tombstone',
    '\\u0000',
    '\\ud800',
    '\\udc00',
    '\u0000',
    'null',
    '[[[[[[[[[[[[[[[[',
    '{"a":{"a":{"a":',
    strong.didKey,
    weak.didKey,
    k256.didKey,
    third.prev!,
    recovery.prev!,
    'did:key:z',
    'did:key:z6MkhaXgBZDvotDkL5257faiztiGiC2QtKLGpbnnEGta2doK',
    `"${'A'.repeat(260)}"`,
    'A'.repeat(4000),
    'A'.repeat(7501),
  ],
  seeds: () => [
    inputOf(0, third),
    inputOf(0, recovery),
    inputOf(0, tombstoneOperation(second, weak)),
    inputOf(MODE.replay, third),
    inputOf(MODE.signedByWeak, third),
    inputOf(MODE.signedByStrong, recovery),
    inputOf(MODE.signedByStrong, tombstoneOperation(genesis, strong)),
    inputOf(MODE.signedByStrong | MODE.replay, recovery),
    inputOf(MODE.genesis | MODE.signedByWeak, genesis),
    inputOf(MODE.genesis | MODE.signedByWeak, {
      ...genesis,
      services: { ['__proto__']: { type: 'x', endpoint: '' }, 10: { type: '', endpoint: 'y' } },
    }),
    inputOf(MODE.genesis | MODE.replay, legacy),
    inputOf(MODE.genesis | MODE.signedByStrong | MODE.replay, legacy),
    ...malleated(third).map((operation) => inputOf(0, operation)),
    ...malleated(genesis).map((operation) => inputOf(MODE.genesis, operation)),
  ],
  run(input) {
    const mode = input[0] ?? 0
    const json = jsonOf(input.subarray(1))
    if (json === undefined) return
    sign(json, mode)
    const policy = mode & MODE.replay ? 'replay' : 'ingest'
    const operation = unlessRefused(() => parseOperation(json, policy))
    if (operation === undefined) {
      if (isNaiveOperation(json, policy)) assert.ok(isOdd(json), `refused: ${JSON.stringify(json)}`)
      return
    }
    assert.ok(isNaiveOperation(json, policy), `taken for an operation: ${JSON.stringify(json)}`)
    if (mode & MODE.genesis) judge(createLog(naiveDid(json)), [], operation, json, 0)
    else judge(log, naiveLog, operation, json, 2 * HOUR_MS)
  },
}

/** What is refused for its form at once, and by the rules because nothing is called so, or signed so. */
const isOdd = ({ sig, prev }: Json) =>
  (sig as string).length > 1024 || (prev !== null && !isCanonicalCid(prev as string))

/** 36 bytes are 58 characters: the first seven are nearly given, the last holds three bits, and two that are zero. */
const isCanonicalCid = (text: string) => /^baf[yk]rei[a-h][a-z2-7]{50}[aeimquy4]$/.test(text)

function jsonOf(bytes: Uint8Array): unknown {
  try {
    return JSON.parse(Buffer.from(bytes).toString())
  } catch {
    return undefined
  }
}

function sign(json: unknown, mode: number): void {
  const keypair = mode & MODE.signedByWeak ? weak : mode & MODE.signedByStrong ? strong : undefined
  if (keypair === undefined || typeof json !== 'object' || json === null || Array.isArray(json)) return
  try {
    Object.assign(json, { sig: toBase64url(keypair.sign(naiveUnsigned(json as Json))) })
  } catch (error) {
    // What has no bytes cannot be signed, and goes on as it is.
    if (!(error instanceof TypeError)) throw error
  }
}

function judge(
  onto: PlcLog,
  naiveEntries: readonly NaiveEntry[],
  operation: Operation,
  json: Json,
  createdAt: number,
): void {
  const verdict = unlessRefused(() => judgeOperation(onto, operation, createdAt))
  const naive = naiveJudge(naiveEntries.length === 0 ? naiveDid(json) : did, naiveEntries, json, createdAt)
  assert.equal(verdict !== undefined, naive !== undefined, `accepted by one: ${JSON.stringify(json)}`)
  if (verdict === undefined || naive === undefined) return
  assert.equal(verdict.entry.cid.toString(), naive.at(-1)!.cid)
  assert.deepEqual(
    verdict.nullified.map(String),
    naive
      .filter(({ nullified, cid }, i) => nullified && !naiveEntries[i]!.nullified && cid)
      .map(({ cid }) => cid),
  )
}

// Forks: an input is a history, six bytes for each operation.

const STEP_BYTES = 6
const MAX_STEPS = 12
const ALL_KEYS = 0b11100100
const TIMES = 8

/** Any list of the four keys: repeated, or empty. */
const keyList = (length: number, choice: number) =>
  Array.from({ length: length % 5 }, (_, i) => keypairs[(choice >> (2 * i)) & 3]!.didKey)

function timeOf(choice: number, entries: readonly NaiveEntry[], parent: NaiveEntry): number {
  const current = entries.filter(({ nullified }) => !nullified)
  const last = current.at(-1)!.createdAt
  const disputed = current[current.indexOf(parent) + 1]?.createdAt ?? last
  const times = [
    last + 1,
    last + HOUR_MS,
    disputed + WINDOW_MS,
    disputed + WINDOW_MS + 1,
    disputed + WINDOW_MS - 1,
    last,
    last - 1,
    last + WINDOW_MS / 2,
  ]
  return times[choice % TIMES]!
}

/** Random key lists, forks and times around the window: every operation is judged alike, and undoes the same. */
export const forks: FuzzTarget = {
  name: 'plc-forks',
  maxBytes: STEP_BYTES * MAX_STEPS,
  // Each of the times, for an operation on the head and for one that undoes it, by keys that may.
  seeds: () =>
    Array.from({ length: TIMES }, (_, when) => [
      Buffer.of(
        4,
        ALL_KEYS,
        3,
        0,
        0,
        0,
        255,
        3,
        0,
        4,
        ALL_KEYS,
        0,
        255,
        2,
        when,
        3,
        ALL_KEYS,
        0,
        1,
        1,
        1,
        2,
        2,
        0,
      ),
      Buffer.of(
        4,
        ALL_KEYS,
        3,
        0,
        0,
        0,
        255,
        3,
        0,
        4,
        ALL_KEYS,
        0,
        0,
        1,
        when,
        4,
        ALL_KEYS,
        when,
        0,
        0,
        2,
        0,
        0,
        0,
      ),
      Buffer.of(4, 0b01000100, 1, 0, 0, 0, 255, 1, 0, 1, 0b10, 1, 0, 0, when, 1, 1, 0, 255, 1, 0, 2, 1, 0),
    ]).flat(),
  run(input) {
    const [length = 0, choice = 0, signer = 0] = input
    const rotationKeys = keyList(length, choice)
    const first = signOperation<PlcOperation>(
      {
        type: 'plc_operation',
        rotationKeys,
        verificationMethods: {},
        alsoKnownAs: [],
        services: {},
        prev: null,
      },
      keypairs[signer & 3]!,
    )
    const did = naiveDid(first as unknown as Json)
    const onto = createLog(did)
    let entries = step(onto, [], first, 0)
    for (
      let at = STEP_BYTES, n = 0;
      at + STEP_BYTES <= input.length && n < MAX_STEPS;
      at += STEP_BYTES, n++
    ) {
      if (entries.length === 0) return
      const [where = 0, who = 0, when = 0, size = 0, which = 0, kind = 0] = input.subarray(
        at,
        at + STEP_BYTES,
      )
      const parent =
        where >= 128 ? entries.findLast(({ nullified }) => !nullified)! : entries[where % entries.length]!
      const keypair = keypairs[who & 3]!
      const operation: Operation =
        kind & 1
          ? signOperation({ type: 'plc_tombstone', prev: parent.cid }, keypair)
          : signOperation<PlcOperation>(
              {
                type: 'plc_operation',
                rotationKeys: keyList(size, which),
                verificationMethods: {},
                alsoKnownAs: [`at://n${n}.test`],
                services: {},
                prev: parent.cid,
              },
              keypair,
            )
      entries = step(onto, entries, operation, timeOf(when, entries, parent))
    }
  },
}

function step(
  onto: PlcLog,
  entries: readonly NaiveEntry[],
  operation: Operation,
  createdAt: number,
): readonly NaiveEntry[] {
  const next = naiveJudge(onto.did, entries, operation as unknown as Json, createdAt)
  const verdict = unlessRefused(() =>
    acceptOperation(onto, parseOperation(JSON.parse(JSON.stringify(operation)), 'replay'), createdAt),
  )
  assert.equal(verdict !== undefined, next !== undefined, `accepted by one: ${JSON.stringify(operation)}`)
  const after = next ?? entries
  assert.deepEqual(
    onto.entries.map(({ cid, nullified }) => [cid.toString(), nullified]),
    after.map(({ cid, nullified }) => [cid, nullified]),
  )
  return after
}
