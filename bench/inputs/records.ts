import { type Cid, cidFromDigest, type DataMap, DRISL_CODEC, RAW_CODEC, type Value } from '@imago/data'
import type { Random } from '@imago/sim/random'
import { tidFromMicros } from '@imago/syntax'

// Records as they are on the network: the same fields, and about the same sizes.

const ALPHABET = 'abcdefghijklmnopqrstuvwxyz'
const START_MICROS = Date.UTC(2025, 0, 1) * 1000

const words = (random: Random, bytes: number): string => {
  let text = ''
  while (text.length < bytes)
    text += `${random.chance(0.05) ? 'größer ' : ''}${letters(random, 2 + random.int(8))} `
  return text.slice(0, bytes).trimEnd()
}
const letters = (random: Random, length: number) =>
  Array.from({ length }, () => ALPHABET[random.int(ALPHABET.length)]).join('')

export const anyDid = (random: Random) =>
  `did:plc:${Array.from({ length: 24 }, () => random.pick([...ALPHABET, ...'234567'])).join('')}` as const
export const anyRecordCid = (random: Random): Cid => cidFromDigest(DRISL_CODEC, random.bytes(32))
const anyBlobCid = (random: Random): Cid => cidFromDigest(RAW_CODEC, random.bytes(32))
export const anyTid = (random: Random) => tidFromMicros(START_MICROS + random.int(3e13), random.int(1024))
const anyTime = (random: Random) => new Date(START_MICROS / 1000 + random.int(3e10)).toISOString()
const anyRef = (random: Random): DataMap => ({
  cid: anyRecordCid(random).toString(),
  uri: `at://${anyDid(random)}/app.bsky.feed.post/${anyTid(random)}`,
})

/** About 2 kB of DRISL: a long text with facets, in a thread, with a gallery. */
export function largePost(random: Random): DataMap {
  const text = words(random, 300)
  const facet = (start: number, feature: DataMap): DataMap => ({
    index: { byteStart: start, byteEnd: start + 12 },
    features: [feature],
  })
  const image = (): DataMap => ({
    alt: words(random, 110),
    image: {
      $type: 'blob',
      ref: anyBlobCid(random),
      mimeType: 'image/jpeg',
      size: 100_000 + random.int(900_000),
    },
    aspectRatio: { width: 2000, height: 1500 },
  })
  return {
    $type: 'app.bsky.feed.post',
    text,
    langs: ['en', 'de'],
    tags: [letters(random, 9), letters(random, 12)],
    facets: [
      facet(10, { $type: 'app.bsky.richtext.facet#mention', did: anyDid(random) }),
      facet(60, {
        $type: 'app.bsky.richtext.facet#link',
        uri: `https://example.com/${letters(random, 30)}`,
      }),
      facet(150, { $type: 'app.bsky.richtext.facet#tag', tag: letters(random, 11) }),
    ],
    reply: { root: anyRef(random), parent: anyRef(random) },
    embed: { $type: 'app.bsky.embed.images', images: [image(), image(), image(), image()] },
    createdAt: anyTime(random),
  }
}

/** About 90 bytes of DRISL: a few words. */
export function smallPost(random: Random): DataMap {
  return { $type: 'app.bsky.feed.post', text: words(random, 20), createdAt: anyTime(random) }
}

/** A like, a repost, a follow or a post, about as often as people make them, with its collection. */
export function anyRecord(random: Random): { collection: string; record: DataMap } {
  const dice = random.int(100)
  const createdAt = anyTime(random)
  if (dice < 55)
    return { collection: 'app.bsky.feed.like', record: subject('like', anyRef(random), createdAt) }
  if (dice < 67)
    return { collection: 'app.bsky.feed.repost', record: subject('repost', anyRef(random), createdAt) }
  if (dice < 80)
    return {
      collection: 'app.bsky.graph.follow',
      record: { $type: 'app.bsky.graph.follow', subject: anyDid(random), createdAt },
    }
  return {
    collection: 'app.bsky.feed.post',
    record: {
      $type: 'app.bsky.feed.post',
      text: words(random, 20 + random.int(260)),
      langs: ['en'],
      ...(random.chance(0.5) && { reply: { root: anyRef(random), parent: anyRef(random) } }),
      createdAt,
    },
  }
}

const subject = (kind: string, to: Value, createdAt: string): DataMap => ({
  $type: `app.bsky.feed.${kind}`,
  subject: to,
  createdAt,
})

/** A tree node of about 4 kB, as a repository holds it. */
export function mstNode(random: Random): DataMap {
  const keys = Array.from({ length: 40 }, () => `app.bsky.feed.post/${anyTid(random)}`).sort()
  const encoder = new TextEncoder()
  return {
    l: anyRecordCid(random),
    e: keys.map((key, i) => {
      const shared = i === 0 ? 0 : sharedPrefix(keys[i - 1]!, key)
      return {
        p: shared,
        k: encoder.encode(key.slice(shared)),
        v: anyRecordCid(random),
        t: anyRecordCid(random),
      }
    }),
  }
}

function sharedPrefix(a: string, b: string): number {
  let length = 0
  while (length < a.length && a[length] === b[length]) length++
  return length
}
