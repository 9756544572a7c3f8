import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { mkdirSync, rmSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { type DataMap, decode, encode, stringify } from '@imago/data'
import { createCatalog, type LexiconDocument, parseLexiconDocument, type RecordSchema } from '@imago/lexicon'
import { createBytesChecks } from '@imago/lexicon/bytes'
import { type GeneratedFile, generate } from '@imago/lexicon/generate'
import { createRandom } from '@imago/sim/random'
import { largePost, smallPost } from '../inputs/records.ts'
import type { GroupContext } from '../lib/group.ts'
import { measure, perSecond, type Work } from '../lib/measure.ts'
import { installPeers, type Peers, PeerUnavailableError } from '../lib/peers.ts'
import type { Row } from '../lib/row.ts'
import { openLibsecp256k1 } from '../lib/yardstick.ts'
import { bundleRows } from './lexicon-bundles.ts'

const SEED = 1
const INPUTS = 64
const POST = 'app.bsky.feed.post'

// Where the bars were set, the fastest peer (generated checks of `@atcute/bluesky`) judged 373,000 posts of 2 kB in a
// second of one core, and 10.9 million of 90 B. Machines differ by more than that: so bars are parts of the peer's rate.
const LARGE_PEER = 373_000
const SMALL_PEER = 10_900_000
const BARS = { large: 1_000_000 / LARGE_PEER, small: 8_000_000 / SMALL_PEER, bytes: 300_000 / LARGE_PEER }

const GENERATE_SECONDS = 0.5

/** Validation of posts, code generation, and what validators and a call weigh in a browser. */
export async function* rows(context: GroupContext): AsyncGenerator<Row> {
  const { progress, quick } = context
  const names = [
    'validate a post of 2 kB, strict',
    'validate a post of 90 B, strict',
    'validate a post of 2 kB from its bytes',
    'generate code for 387 documents',
  ]
  let peers: Peers
  try {
    peers = await installPeers('lexicons', progress)
  } catch (error) {
    if (!(error instanceof PeerUnavailableError)) throw error
    yield* names.map((name) => ({ name, missing: error.message }))
    return
  }
  const documents = await publishedDocuments(peers)
  const files = generate(documents)
  const folder = join(dirname(peers.entry), 'generated')
  writeModules(folder, files)
  const ours = await ourSchema(folder)
  const others = await peerChecks(peers, documents, progress)
  const effort = quick ? { runs: 3, runMs: 40, warmUpMs: 120 } : {}

  const random = createRandom(SEED)
  const large = Array.from({ length: INPUTS }, () => encode(largePost(random)))
  const small = Array.from({ length: INPUTS }, () => encode(smallPost(random)))
  for (const [name, inputs, timesPeer] of [
    [names[0]!, large, BARS.large],
    [names[1]!, small, BARS.small],
  ] as const) {
    const figures = measure(
      { ours: judging(ourPeer(ours), inputs), ...mapValues(others, (peer) => judging(peer, inputs)) },
      effort,
    )
    yield rateRow(name, figures, { timesPeer })
  }

  const check = createBytesChecks(createCatalog(documents))(POST)!
  for (const bytes of large) assert.equal(check(bytes), undefined)
  for (const bytes of large) assert.notEqual(check(encode(spoilt(bytes))), undefined)
  const figures = measure(
    {
      ours: (i) => check(large[i % INPUTS]!),
      ...mapValues(others, (peer) => judging(peer, large)),
      // What the walk over the bytes saves: the value is made, then judged.
      decoding: (i) => ours.check(decode(large[i % INPUTS]!)),
    },
    effort,
  )
  const { decoding, ...rest } = figures as typeof figures & Record<string, (typeof figures)['ours']>
  yield {
    ...rateRow(names[2]!, rest, { timesPeer: BARS.bytes }),
    note: `peers are given values, decoded before; decoding first and then judging: ${Math.round(perSecond(decoding!.median)).toLocaleString('en')}/s`,
  }

  const library = openLibsecp256k1()
  const generating = measure(
    { ours: () => generate(documents), ...(library && { signature: library.verify }) },
    quick ? { runs: 2 } : { runs: 5 },
  )
  yield {
    name: names[3]!,
    unit: 's',
    ours: generating.ours.median / 1e6,
    spread: generating.ours.spread,
    bar: { limit: GENERATE_SECONDS },
    ...(generating.signature && { yardstick: library!.yardstick(generating.signature.median) }),
    note: `${files.length} modules`,
  }
  yield* bundleRows(peers, folder)
}

function rateRow(
  name: string,
  figures: Record<string, { median: number; spread: number }>,
  bar: { timesPeer: number },
) {
  const { ours, ...peers } = mapValues(figures, ({ median }) => perSecond(median))
  return { name, unit: '/s' as const, ours: ours!, spread: figures['ours']!.spread, peers, bar }
}

/** A validator, with the form of a post that it is given. */
interface Judge {
  read(bytes: Uint8Array): unknown
  isValid(value: unknown): boolean
}

const ourPeer = (schema: RecordSchema<DataMap>): Judge => ({
  read: (bytes) => decode(bytes),
  isValid: (value) => schema.check(value) === undefined,
})

/** Work on inputs that the validator lets pass, as it has to; and it refuses the same ones with a fault. */
function judging({ read, isValid }: Judge, inputs: readonly Uint8Array[]): Work {
  const values = inputs.map(read)
  for (const value of values) assert(isValid(value))
  for (const bytes of inputs) assert(!isValid(read(encode(spoilt(bytes)))))
  return (i) => isValid(values[i % INPUTS])
}

/** The post with one date that is none. */
const spoilt = (bytes: Uint8Array): DataMap => ({ ...(decode(bytes) as DataMap), createdAt: 'yesterday' })

/** All that `@atproto/api` ships: references of a document to itself have been made absolute there. */
async function publishedDocuments(peers: Peers): Promise<LexiconDocument[]> {
  const { schemas } = (await peers.load('@atproto/api')) as { schemas: object[] }
  return (JSON.parse(JSON.stringify(schemas).replaceAll('"lex:', '"')) as unknown[]).map(parseLexiconDocument)
}

function writeModules(folder: string, files: readonly GeneratedFile[]): void {
  rmSync(folder, { recursive: true, force: true })
  mkdirSync(folder)
  writeFileSync(join(folder, 'package.json'), MODULE_PACKAGE)
  for (const { path, text } of files) {
    mkdirSync(dirname(join(folder, path)), { recursive: true })
    writeFileSync(join(folder, path), text)
  }
}

const MODULE_PACKAGE = '{"type":"module"}'

const pathOf = (nsid: string) => `${nsid.replaceAll('.', '/')}.ts`

async function ourSchema(folder: string): Promise<RecordSchema<DataMap>> {
  return (await import(pathToFileURL(join(folder, pathOf(POST))).href)).main
}

/** The validators of others: `@atcute/bluesky` has generated ones, `@atproto/lex` generates them here, once. */
async function peerChecks(
  peers: Peers,
  documents: readonly LexiconDocument[],
  progress: (text: string) => void,
): Promise<Record<string, Judge>> {
  const fromJson = (bytes: Uint8Array) => JSON.parse(stringify(decode(bytes)))
  const { AppBskyFeedPost } = (await peers.load('@atcute/bluesky')) as {
    AppBskyFeedPost: { mainSchema: unknown }
  }
  const atcute = (await peers.load('@atcute/lexicons/validations')) as {
    is(schema: unknown, value: unknown): boolean
  }
  const lexicon = (await peers.load('@atproto/lexicon')) as {
    Lexicons: new (
      documents: readonly unknown[],
    ) => { validate(ref: string, value: unknown): { success: boolean } }
    jsonToLex(json: unknown): unknown
  }
  // It rewrites the references in what it is given.
  const lexicons = new lexicon.Lexicons(structuredClone(documents))
  const { jsonToLex } = (await peers.load('@atproto/lex-json')) as { jsonToLex(json: unknown): unknown }
  progress('generating schemas with @atproto/lex')
  const post = await lexSchema(dirname(peers.entry), documents)
  return {
    [peers.title('@atcute/lexicons')]: {
      read: fromJson,
      isValid: (value) => atcute.is(AppBskyFeedPost.mainSchema, value),
    },
    [peers.title('@atproto/lexicon')]: {
      read: (bytes) => lexicon.jsonToLex(fromJson(bytes)),
      isValid: (value) => lexicons.validate(POST, value).success,
    },
    [peers.title('@atproto/lex')]: {
      read: (bytes) => jsonToLex(fromJson(bytes)),
      isValid: (value) => post.matches(value),
    },
  }
}

interface LexSchema {
  matches(value: unknown): boolean
}

async function lexSchema(folder: string, documents: readonly LexiconDocument[]): Promise<LexSchema> {
  const sources = join(folder, 'lexicons')
  const out = join(folder, 'lex')
  rmSync(sources, { recursive: true, force: true })
  for (const document of documents) {
    const path = join(sources, `${document.id.replaceAll('.', '/')}.json`)
    mkdirSync(dirname(path), { recursive: true })
    writeFileSync(path, JSON.stringify(document))
  }
  const lex = join(folder, 'node_modules/@atproto/lex/bin/lex')
  const options = ['--clear', '--no-pretty', '--import-ext', '.ts', '--include', 'app.bsky.*', '--include']
  execFileSync(
    process.execPath,
    [lex, 'build', '--lexicons', sources, '--out', out, ...options, 'com.atproto.*'],
    { stdio: 'ignore' },
  )
  writeFileSync(join(out, 'package.json'), MODULE_PACKAGE)
  return (await import(pathToFileURL(join(out, pathOf(POST))).href)).main
}

function mapValues<T, U>(record: Readonly<Record<string, T>>, map: (value: T) => U): Record<string, U> {
  return Object.fromEntries(Object.entries(record).map(([name, value]) => [name, map(value)]))
}
