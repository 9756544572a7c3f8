// The rules of did:plc once more, from their description alone and with Node's own cryptography: what tests hold the
// real implementation against. Slow, and strict about nothing but the rules.
import { createHash, createPublicKey, type KeyObject, verify } from 'node:crypto'

type Json = Readonly<Record<string, unknown>>

export interface NaiveEntry {
  readonly json: Json
  readonly cid: string
  /** Milliseconds since the Unix epoch. */
  readonly createdAt: number
  readonly nullified: boolean
  /** What may still sign a child of it: the streaming form of the rules. */
  readonly allowed: readonly string[]
}

const HOUR_MS = 3_600_000
export const WINDOW_MS = 72 * HOUR_MS

/** DAG-CBOR of what an operation is made of: text, null, lists and maps. @throws {TypeError} for anything else. */
export function naiveEncode(value: unknown): Buffer {
  if (value === null) return Buffer.of(0xf6)
  if (typeof value === 'string') {
    if (!value.isWellFormed()) throw new TypeError('a lone surrogate has no UTF-8')
    const text = Buffer.from(value)
    return Buffer.concat([head(3, text.length), text])
  }
  if (Array.isArray(value)) return Buffer.concat([head(4, value.length), ...value.map(naiveEncode)])
  if (typeof value === 'object') {
    const members = Object.entries(value).map(([key, member]) => ({
      key: Buffer.from(key),
      text: key,
      member,
    }))
    members.sort((a, b) => a.key.length - b.key.length || Buffer.compare(a.key, b.key))
    const parts = members.flatMap(({ text, member }) => [naiveEncode(text), naiveEncode(member)])
    return Buffer.concat([head(5, members.length), ...parts])
  }
  throw new TypeError(`an operation holds no ${typeof value}`)
}

function head(major: number, length: number): Buffer {
  if (length < 24) return Buffer.of(major * 32 + length)
  if (length < 256) return Buffer.of(major * 32 + 24, length)
  if (length < 65_536) return Buffer.of(major * 32 + 25, length >> 8, length & 255)
  throw new TypeError('longer than any operation')
}

const sha256 = (bytes: Uint8Array) => createHash('sha256').update(bytes).digest()

function base32(bytes: Uint8Array): string {
  const bits = [...bytes].map((byte) => byte.toString(2).padStart(8, '0')).join('')
  const groups = bits.match(/.{1,5}/g) ?? []
  return groups
    .map((group) => 'abcdefghijklmnopqrstuvwxyz234567'[Number.parseInt(group.padEnd(5, '0'), 2)])
    .join('')
}

export const naiveCid = (json: Json) =>
  `b${base32(Buffer.concat([Buffer.of(1, 0x71, 0x12, 0x20), sha256(naiveEncode(json))]))}`

export const naiveDid = (json: Json) => `did:plc:${base32(sha256(naiveEncode(json))).slice(0, 24)}`

/** What is signed: the operation without its `sig`. */
export function naiveUnsigned(json: Json): Buffer {
  const unsigned: Record<string, unknown> = Object.create(null)
  for (const [key, member] of Object.entries(json)) if (key !== 'sig') unsigned[key] = member
  return naiveEncode(unsigned)
}

const BASE58 = '123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz'

function base58(text: string): Buffer | undefined {
  let number = 0n
  for (const character of text) {
    const digit = BASE58.indexOf(character)
    if (digit < 0) return undefined
    number = number * 58n + BigInt(digit)
  }
  const zeros = /^1*/.exec(text)![0].length
  const hex = number === 0n ? '' : number.toString(16)
  return Buffer.concat([Buffer.alloc(zeros), Buffer.from(hex.length % 2 === 0 ? hex : `0${hex}`, 'hex')])
}

const CURVES = [
  {
    multicodec: 'e701',
    spki: '3036301006072a8648ce3d020106052b8104000a032200',
    order: 0xfffffffffffffffffffffffffffffffebaaedce6af48a03bbfd25e8cd0364141n,
  },
  {
    multicodec: '8024',
    spki: '3039301306072a8648ce3d020106082a8648ce3d030107032200',
    order: 0xffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551n,
  },
] as const

interface NaiveKey {
  readonly key: KeyObject
  readonly order: bigint
}

const keys = new Map<string, NaiveKey | undefined>()

function naiveKey(text: string): NaiveKey | undefined {
  if (!keys.has(text)) {
    if (keys.size > 1000) keys.clear()
    keys.set(text, openKey(text))
  }
  return keys.get(text)
}

function openKey(text: string): NaiveKey | undefined {
  if (!text.startsWith('did:key:z') || text.length > 100) return undefined
  const bytes = base58(text.slice('did:key:z'.length))
  const curve = CURVES.find(({ multicodec }) => bytes?.subarray(0, 2).toString('hex') === multicodec)
  if (bytes === undefined || curve === undefined || bytes.length !== 35) return undefined
  if (bytes[2] !== 2 && bytes[2] !== 3) return undefined
  try {
    const der = Buffer.concat([Buffer.from(curve.spki, 'hex'), bytes.subarray(2)])
    return { key: createPublicKey({ key: der, format: 'der', type: 'spki' }), order: curve.order }
  } catch {
    return undefined
  }
}

function hasSigned(didKey: string, json: Json): boolean {
  const { sig } = json
  if (typeof sig !== 'string' || !/^[A-Za-z0-9_-]{85}[AQgw]$/.test(sig)) return false
  const key = naiveKey(didKey)
  if (key === undefined) return false
  const signature = Buffer.from(sig, 'base64url')
  const s = BigInt(`0x${signature.subarray(32).toString('hex')}`)
  if (s > key.order / 2n) return false
  return verify('sha256', naiveUnsigned(json), { key: key.key, dsaEncoding: 'ieee-p1363' }, signature)
}

/** Place of the first key that signed; -1 for none. */
const naiveSigner = (rotationKeys: readonly string[], json: Json) =>
  rotationKeys.findIndex((key) => hasSigned(key, json))

function rotationKeysOf(json: Json): readonly string[] | undefined {
  if (json['type'] === 'plc_tombstone') return undefined
  if (json['type'] === 'create') return [json['recoveryKey'] as string, json['signingKey'] as string]
  return json['rotationKeys'] as string[]
}

/**
 * What the log becomes if the operation may enter it; `undefined` if not. By two forms of the rules, which have to
 * agree: the list of those who could have signed before, and the keys that each operation still allows.
 * @throws {Error} when they do not.
 */
export function naiveJudge(
  did: string,
  entries: readonly NaiveEntry[],
  json: Json,
  createdAt: number,
): NaiveEntry[] | undefined {
  const byList = judgeByList(did, entries, json, createdAt)
  const byAllowance = judgeByAllowance(did, entries, json, createdAt)
  if ((byList === undefined) !== (byAllowance === undefined))
    throw new Error(`two forms of the rules disagree about ${JSON.stringify(json)} at ${createdAt}`)
  return byList
}

function isGenesis(did: string, json: Json): boolean {
  const own = rotationKeysOf(json)
  return json['prev'] === null && own !== undefined && naiveSigner(own, json) >= 0 && naiveDid(json) === did
}

const entryOf = (json: Json, createdAt: number): NaiveEntry => ({
  json,
  cid: naiveCid(json),
  createdAt,
  nullified: false,
  allowed: rotationKeysOf(json) ?? [],
})

function judgeByList(did: string, entries: readonly NaiveEntry[], json: Json, createdAt: number) {
  const current = entries.filter((entry) => !entry.nullified)
  if (entries.length === 0) return isGenesis(did, json) ? [entryOf(json, createdAt)] : undefined
  const parentAt = current.findIndex(({ cid }) => cid === json['prev'])
  const parent = current[parentAt]
  const parentKeys = parent && rotationKeysOf(parent.json)
  if (parent === undefined || parentKeys === undefined || createdAt <= current.at(-1)!.createdAt)
    return undefined
  const undone = current.slice(parentAt + 1)
  const [disputed] = undone
  const may =
    disputed === undefined ? parentKeys : parentKeys.slice(0, naiveSigner(parentKeys, disputed.json))
  if (naiveSigner(may, json) < 0) return undefined
  if (disputed !== undefined && createdAt - disputed.createdAt > WINDOW_MS) return undefined
  return attach(entries, parent, undone, json, createdAt)
}

function judgeByAllowance(did: string, entries: readonly NaiveEntry[], json: Json, createdAt: number) {
  if (entries.length === 0) return isGenesis(did, json) ? [entryOf(json, createdAt)] : undefined
  const parent = entries.find(({ cid, nullified }) => cid === json['prev'] && !nullified)
  const last = entries.findLast(({ nullified }) => !nullified)!
  if (parent === undefined || createdAt <= last.createdAt) return undefined
  if (naiveSigner(parent.allowed, json) < 0) return undefined
  const undone = entries.slice(entries.indexOf(parent) + 1).filter(({ nullified }) => !nullified)
  if (undone.length > 0 && createdAt > undone[0]!.createdAt + WINDOW_MS) return undefined
  return attach(entries, parent, undone, json, createdAt)
}

function attach(
  entries: readonly NaiveEntry[],
  parent: NaiveEntry,
  undone: readonly NaiveEntry[],
  json: Json,
  createdAt: number,
): NaiveEntry[] {
  const before = entries.map((entry) => {
    if (entry === parent)
      return { ...entry, allowed: entry.allowed.slice(0, naiveSigner(entry.allowed, json)) }
    return undone.includes(entry) ? { ...entry, nullified: true } : entry
  })
  return [...before, entryOf(json, createdAt)]
}

const isText = (value: unknown): value is string => typeof value === 'string'
const isMap = (value: unknown): value is Json =>
  typeof value === 'object' && value !== null && !Array.isArray(value)
const isList = (value: unknown): value is string[] => Array.isArray(value) && value.every(isText)
const hasKeys = (json: Json, names: string) => Object.keys(json).sort().join(' ') === names

/** Whether JSON is an operation in form: at the door of a directory, or in a history. */
export function isNaiveOperation(json: unknown, policy: 'ingest' | 'replay'): json is Json {
  if (!isMap(json) || !isText(json['sig'])) return false
  let bytes: Buffer
  try {
    bytes = naiveEncode(json)
  } catch {
    return false
  }
  if (bytes.length > (policy === 'ingest' ? 4000 : 7500)) return false
  if (policy === 'ingest' && hasNul(json)) return false
  switch (json['type']) {
    case 'plc_tombstone':
      return hasKeys(json, 'prev sig type') && isText(json['prev'])
    case 'create':
      return (
        policy === 'replay' &&
        hasKeys(json, 'handle prev recoveryKey service sig signingKey type') &&
        json['prev'] === null &&
        ['handle', 'recoveryKey', 'service', 'signingKey'].every((name) => isText(json[name]))
      )
    case 'plc_operation':
      return hasForm(json) && (policy === 'replay' || isWithinBounds(json))
    default:
      return false
  }
}

function hasNul(value: unknown): boolean {
  if (typeof value !== 'object' || value === null) return String(value).includes('\0')
  return Object.entries(value).some((member) => member.some(hasNul))
}

function hasForm(json: Json): boolean {
  const { prev, services, verificationMethods } = json
  return (
    hasKeys(json, 'alsoKnownAs prev rotationKeys services sig type verificationMethods') &&
    (prev === null || isText(prev)) &&
    isList(json['alsoKnownAs']) &&
    isList(json['rotationKeys']) &&
    isMap(verificationMethods) &&
    Object.values(verificationMethods).every(isText) &&
    isMap(services) &&
    Object.values(services).every(
      (service) =>
        isMap(service) &&
        hasKeys(service, 'endpoint type') &&
        isText(service['endpoint']) &&
        isText(service['type']),
    )
  )
}

function isWithinBounds(json: Json): boolean {
  const aliases = json['alsoKnownAs'] as string[]
  const rotationKeys = json['rotationKeys'] as string[]
  const methods = Object.entries(json['verificationMethods'] as Record<string, string>)
  const services = Object.entries(json['services'] as Record<string, { type: string; endpoint: string }>)
  const hasRepeats = (list: readonly string[]) => list.some((item, i) => list.indexOf(item) < i)
  return (
    aliases.length <= 10 &&
    aliases.every(({ length }) => length <= 258) &&
    !hasRepeats(aliases) &&
    rotationKeys.length >= 1 &&
    rotationKeys.length <= 10 &&
    rotationKeys.every((key) => naiveKey(key) !== undefined) &&
    !hasRepeats(rotationKeys) &&
    methods.length <= 10 &&
    methods.every(([id, key]) => isFragment(id) && key.length <= 256 && isDidKeyText(key)) &&
    services.length <= 10 &&
    services.every(
      ([id, { type, endpoint }]) => isFragment(id) && type.length <= 256 && endpoint.length <= 512,
    )
  )
}

const isDidKeyText = (key: string) =>
  key.startsWith('did:key:z') && base58(key.slice('did:key:z'.length)) !== undefined

const FRAGMENT = new Set("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~!$&'()*+,;=:@/?")

/** RFC 3986 §3.5. */
function isFragment(id: string): boolean {
  const rest = id.replaceAll(/%[0-9A-Fa-f]{2}/g, '')
  return id !== '' && id.length <= 32 && [...rest].every((character) => FRAGMENT.has(character))
}
