import assert from 'node:assert/strict'
import test from 'node:test'
import type { Did } from '@imago/syntax'
import fc from 'fast-check'
import { type DidDocument, parseDidDocument } from './lib/did-document.ts'
import type { DidWebHistory, DidWebHistoryBounds } from './lib/did-web-history.ts'

/** What the suite needs of an adapter besides the port. */
export interface DidWebHistoryBench extends AsyncDisposable {
  readonly history: DidWebHistory
  /** Resolves when what was put lies where it will stay. */
  settle(): Promise<void>
}

const didOf = (name: string): Did => `did:web:${name}.test`
const documentOf = (did: Did, alias = 'at://alice.test'): DidDocument => ({ id: did, alsoKnownAs: [alias] })

/** A document whose text takes so many bytes, in characters of three bytes each as far as they go. */
function documentOfSize(did: Did, bytes: number): DidDocument {
  const left = bytes - JSON.stringify(documentOf(did, '')).length
  return documentOf(did, '€'.repeat(left / 3) + 'x'.repeat(left % 3))
}

/** The suite that every adapter of the DidWebHistory port passes. */
export function didWebHistoryContract(
  adapter: string,
  open: (bounds?: DidWebHistoryBounds) => Promise<DidWebHistoryBench>,
): void {
  const contract = (title: string, work: () => Promise<void>) =>
    test(`did:web history (${adapter}): ${title}`, work)

  /** A history that has been told of these, one after the other, and which of them it still knows. */
  async function afterPutting(bounds: DidWebHistoryBounds, ...puts: (readonly [string, number])[]) {
    await using bench = await open(bounds)
    for (const [name, bytes] of puts) {
      await bench.history.put(didOf(name), { document: documentOfSize(didOf(name), bytes), seenAt: 1 })
      await bench.settle()
    }
    const known: string[] = []
    for (const name of new Set(puts.map(([put]) => put)))
      if ((await bench.history.last(didOf(name))) !== undefined) known.push(name)
    return known
  }

  contract('what was put last is there, at once and later, for each DID its own', async () => {
    await using bench = await open()
    const { history } = bench
    const [alice, bob] = [didOf('alice'), didOf('bob')]
    assert.equal(await history.last(alice), undefined)
    await history.put(alice, { document: documentOf(alice), seenAt: 1_795_000_000_000 })
    await history.put(bob, { document: documentOf(bob), seenAt: 7 })
    const seen = { document: documentOf(alice, 'at://other.test'), seenAt: 1_795_000_000_001 }
    await history.put(alice, seen)
    assert.deepEqual(await history.last(alice), seen)
    await bench.settle()
    assert.deepEqual(await history.last(alice), seen)
    assert.deepEqual(await history.last(bob), { document: documentOf(bob), seenAt: 7 })
    await history.put(alice, { ...seen, seenAt: 3 })
    await bench.settle()
    assert.deepEqual(await history.last(alice), { ...seen, seenAt: 3 })
  })

  contract('any document that a host can serve comes back as it was', async () => {
    await using bench = await open()
    const { history } = bench
    const did = didOf('odd')
    const odd = parseDidDocument(
      JSON.parse(String.raw`{"id":"${did}","__proto__":{"id":1},"a\u0000b":"\ud800","x":[[{}]]}`),
      did,
    )
    // Half pairs of surrogates among them.
    const unit = fc.constantFrom(
      'a',
      '"',
      '\\',
      '\0',
      '\n',
      '\u007f',
      '\u2028',
      '€',
      '\ud800',
      '\udc00',
      '😀',
    )
    const documents = fc
      .dictionary(fc.string({ unit }), fc.jsonValue({ stringUnit: unit }))
      .map((json) => parseDidDocument(JSON.parse(JSON.stringify({ ...json, id: did })), did))
    const property = fc.asyncProperty(documents, async (document) => {
      await history.put(did, { document, seenAt: 1 })
      await bench.settle()
      assert.deepEqual((await history.last(did))?.document, document)
    })
    await fc.assert(property, { examples: [[odd]], numRuns: 50, seed: 5 })
  })

  contract('of too many documents, those that were put least recently go', async () => {
    const bounds = { maxDocuments: 3 }
    const four = ['a', 'b', 'c', 'd'].map((name) => [name, 100] as const)
    assert.deepEqual(await afterPutting(bounds, ...four.slice(0, 3)), ['a', 'b', 'c'])
    assert.deepEqual(await afterPutting(bounds, ...four), ['b', 'c', 'd'])
    assert.deepEqual(await afterPutting(bounds, ...four.slice(0, 3), ['a', 100], ['d', 100]), ['a', 'c', 'd'])
  })

  contract('of too many bytes, those that were put least recently go', async () => {
    const bounds = { maxBytes: 1000 }
    assert.deepEqual(await afterPutting(bounds, ['a', 300], ['b', 300], ['c', 400]), ['a', 'b', 'c'])
    assert.deepEqual(await afterPutting(bounds, ['a', 300], ['b', 300], ['c', 401]), ['b', 'c'])
    assert.deepEqual(await afterPutting(bounds, ['a', 300], ['b', 300], ['c', 300], ['d', 900]), ['d'])
    // One that takes its own place counts once.
    assert.deepEqual(await afterPutting(bounds, ['a', 500], ['b', 500], ['b', 400], ['b', 500]), ['a', 'b'])
  })

  contract('a document beyond the bounds, or without a text, displaces nobody', async () => {
    assert.deepEqual(await afterPutting({ maxBytes: 1000 }, ['a', 300], ['b', 1001], ['c', 300]), ['a', 'c'])
    await using bench = await open()
    const { history } = bench
    const [alice, bob] = [didOf('alice'), didOf('bob')]
    const seen = { document: documentOf(alice), seenAt: 1 }
    const textless = { id: alice, service: [{ id: '#x', type: 'X', serviceEndpoint: 1n }] }
    await history.put(alice, seen)
    await bench.settle()
    await history.put(alice, { document: textless, seenAt: 2 })
    await history.put(bob, { document: documentOf(bob), seenAt: 2 })
    await bench.settle()
    assert.deepEqual(await history.last(alice), seen)
    assert.equal((await history.last(bob))?.seenAt, 2)
  })
}
