import assert from 'node:assert/strict'
import test from 'node:test'
import { AppBskyFeedPost } from '@atcute/bluesky'
import { is } from '@atcute/lexicons/validations'
import { jsonToLex, schemas } from '@atproto/api'
import { Lexicons, parseLexiconDoc } from '@atproto/lexicon'
import { cidOfRaw, DataError, fromJson, toJson } from '@imago/data'
import { vectorTest } from '@imago/sim/infrastructure'
import { createRandom, type Random } from '@imago/sim/random'
import { createCatalog } from './catalog.ts'
import { parseLexiconDocument } from './parse-document.ts'

// The same posts, mostly damaged, before our validators and those of others. Where verdicts differ, a rule below says why.

const POST = 'app.bsky.feed.post'
const MUTANTS = 2000

type Peer = '@atproto/lexicon' | '@atcute/lexicons'

/** What we refuse and a peer lets pass, told by our own words. */
const STRICTER: readonly { rule: string; peers: readonly Peer[]; words: RegExp }[] = [
  {
    rule: 'a record says its own type',
    peers: ['@atproto/lexicon'],
    words: /must be "app\.bsky\.feed\.post"/,
  },
  {
    rule: '$type is a text that is not empty',
    peers: ['@atproto/lexicon', '@atcute/lexicons'],
    words: /\$type .*which has to be a text/,
  },
  {
    rule: 'what an open union does not list still has the name of a type',
    peers: ['@atproto/lexicon', '@atcute/lexicons'],
    words: /must be the name of a type/,
  },
  {
    rule: 'a blob is raw bytes, of a type and size that the field accepts',
    peers: ['@atproto/lexicon', '@atcute/lexicons'],
    words: /must be a blob|a blob that is not exactly/,
  },
  { rule: '$link and $bytes stand alone', peers: ['@atcute/lexicons'], words: /beside other keys/ },
  { rule: 'numbers are safe integers', peers: ['@atproto/lexicon'], words: /which is not an integer/ },
  { rule: 'CIDs are of version 1', peers: ['@atproto/lexicon'], words: /not a CID: |must be a CID, not "Qm/ },
  {
    rule: 'datetimes are real moments, with a zone, from the year 0 on',
    peers: ['@atproto/lexicon', '@atcute/lexicons'],
    words: /must be a datetime/,
  },
  {
    rule: 'languages begin in lower case, and repeat no subtag',
    peers: ['@atproto/lexicon', '@atcute/lexicons'],
    words: /must be a language tag/,
  },
  {
    rule: 'the scheme of a URI is lower-case letters, dots and hyphens',
    peers: ['@atproto/lexicon', '@atcute/lexicons'],
    words: /must be a URI/,
  },
]

/** The other way round: what nobody else lets pass. */
const MORE_OPEN = { rule: 'a scheme may hold dots and hyphens', value: 'content-type:a' }

const ODD: readonly unknown[] = [
  ...['', null, true, 0, -1, 1.5, 2 ** 53, 'x', 'x'.repeat(3001), '\u00e9'.repeat(301), [], {}],
  ...[{ $type: 'a.b.c' }, { $type: 'app.bsky.embed.images#main' }, { $type: '' }, { $bytes: 'AQ' }],
  ...['did:plc:x', 'did:PLC:x', 'at://a.b', 'at://did:plc:a/b.c.d/e', 'at://did:plc:a/b.c.d/e/f'],
  ...[
    '2024-02-30T00:00:00Z',
    '2024-01-01T00:00:00',
    '0000-01-01T00:00:00+01:00',
    '2024-01-01T00:00:00-00:00',
  ],
  ...['2024-1-1T00:00:00Z', '2024-01-01T00:00:00.123456789123456789123Z', '2024-01-01 00:00:00Z'],
  ...['en-US', 'EN', 'de-1901-1901', MORE_OPEN.value, 'http://a b', 'Http://a', 'a_b:c', 'image/'],
  ...['QmYyQSo1c1Ym7orWxLYvCrM2EmxFTANf8wXmmE7DWjhx5N', 'bafyx', 'image/png;a=b', 'text/plain'],
  ...[{ $link: String(cidOfRaw(new Uint8Array())) }],
  { $link: 'bafyreiclp443lavogvhj3d2ob2cxbfuscni2k5jk7bebjzg7khl3esabwq' },
]

const ref = {
  uri: `at://did:plc:ewvi7nxzyoun6zhxrhs64oiz/${POST}/3jzfcijpj2z2a`,
  cid: 'bafyreiclp443lavogvhj3d2ob2cxbfuscni2k5jk7bebjzg7khl3esabwq',
}
const VALID = toJson({
  $type: POST,
  text: 'gr\u00fc\u00dfe',
  createdAt: '2024-01-01T00:00:00.000Z',
  langs: ['en', 'pt-BR'],
  tags: ['tag'],
  reply: { root: ref, parent: ref },
  facets: [
    {
      index: { byteStart: 0, byteEnd: 3 },
      features: [
        { $type: 'app.bsky.richtext.facet#link', uri: 'https://example.com' },
        { $type: 'app.bsky.richtext.facet#mention', did: 'did:plc:ewvi7nxzyoun6zhxrhs64oiz' },
      ],
    },
  ],
  embed: {
    $type: 'app.bsky.embed.images',
    images: [
      {
        alt: '',
        image: { $type: 'blob', ref: cidOfRaw(new Uint8Array()), mimeType: 'image/png', size: 3 },
        aspectRatio: { width: 1, height: 2 },
      },
    ],
  },
})

type Container = Record<string, unknown>

/** Every place in a value, as container and key. */
function places(value: unknown): [Container, string][] {
  if (typeof value !== 'object' || value === null) return []
  return Object.entries(value).flatMap(([key, inner]) => [[value as Container, key], ...places(inner)])
}

/** With one fault: a second one could hide which rule it was. */
function mutant(random: Random): unknown {
  const json = structuredClone(VALID)
  const [container, key] = random.pick(places(json))
  const dice = random.int(5)
  if (dice === 0 && !Array.isArray(container)) delete container[key]
  else if (dice === 1) container['extra'] = 1
  else container[key] = structuredClone(random.pick(ODD))
  return json
}

test('verdicts on damaged posts differ from those of others by listed rules, and by no others', () => {
  const documents = JSON.parse(JSON.stringify(schemas).replaceAll('"lex:', '"')) as object[]
  const schema = createCatalog(documents.map(parseLexiconDocument)).record(POST)!
  const lexicons = new Lexicons(schemas)
  const judges: Record<Peer, (json: unknown) => boolean> = {
    '@atproto/lexicon': (json) => {
      try {
        return lexicons.validate(POST, jsonToLex(json as never)).success
      } catch {
        return false
      }
    },
    '@atcute/lexicons': (json) => is(AppBskyFeedPost.mainSchema, json),
  }
  const fault = (json: unknown): string | undefined => {
    try {
      return schema.check(fromJson(json))?.message
    } catch (error) {
      if (error instanceof DataError) return error.message
      throw error
    }
  }
  assert.equal(fault(VALID), undefined)

  const random = createRandom(5)
  const met = new Set<string>()
  let valid = 0
  for (let i = 0; i < MUTANTS; i++) {
    const json = mutant(random)
    const words = fault(json)
    if (words === undefined) valid++
    for (const [peer, judge] of Object.entries(judges) as [Peer, (json: unknown) => boolean][]) {
      const theirs = judge(json)
      if (theirs === (words === undefined)) continue
      const rule = theirs
        ? STRICTER.find(({ peers, words: known }) => peers.includes(peer) && known.test(words!))?.rule
        : JSON.stringify(json).includes(MORE_OPEN.value)
          ? MORE_OPEN.rule
          : undefined
      assert.ok(rule, `${peer} says ${theirs}, we say ${words ?? 'valid'}: ${JSON.stringify(json)}`)
      met.add(rule)
    }
  }
  assert.ok(valid > MUTANTS / 20 && valid < MUTANTS / 2, `${valid} valid`)
  // A rule that explains nothing any more has to go.
  assert.deepEqual(
    [...STRICTER, MORE_OPEN].map(({ rule }) => rule).filter((rule) => !met.has(rule)),
    [],
  )
})

vectorTest('the whole lexicon catalogue is accepted here, and not by the reference', (vectors) => {
  const folder = 'atproto-interop-tests/lexicon/catalog'
  const documents = vectors.list(folder).map((file) => vectors.json<object>(`${folder}/${file}`))
  for (const document of documents) assert.equal(parseLexiconDocument(document), document)
  const refused = documents.filter((document) => {
    try {
      return parseLexiconDoc(document) === undefined
    } catch {
      return true
    }
  })
  assert.ok(refused.length > 0)
})
