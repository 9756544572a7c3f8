import assert from 'node:assert/strict'
import test from 'node:test'
import { type ObjectBody, ObjectStoreError, type StagingStore } from './index.ts'

/** An empty store to test, and how to be rid of it. */
export interface OpenedStore extends AsyncDisposable {
  readonly store: StagingStore
}

export interface ContractOptions {
  /** How many objects the listing test stores: more than the adapter gets in one page. */
  readonly manyObjects: number
  /** Size of the large object: several times what the adapter may hold in memory. */
  readonly largeBytes: number
  /** Whether listings say when an object was stored. Default true. */
  readonly tellsTimes?: boolean
  /** What the server behind the adapter is known to do wrong, and is therefore not asked of this run. Default: nothing. */
  readonly weaknesses?: readonly Weakness[]
}

export type Weakness =
  /** Takes the range 0-0 for all of the object. */
  | 'first byte alone'
  /** Fails when objects of one folder are put and deleted at the same time. */
  | 'puts and deletes side by side'

const text = (value: string) => new TextEncoder().encode(value)

async function bytesOf(body: AsyncIterable<Uint8Array>): Promise<Uint8Array> {
  const pieces: Uint8Array[] = []
  for await (const piece of body) pieces.push(piece)
  return new Uint8Array(Buffer.concat(pieces))
}

async function read(store: StagingStore, key: string): Promise<string | undefined> {
  const object = await store.get(key)
  return object && new TextDecoder().decode(await bytesOf(object.body))
}

async function keysOf(store: StagingStore, prefix = ''): Promise<string[]> {
  const keys: string[] = []
  for await (const { key } of store.list(prefix)) keys.push(key)
  return keys.sort()
}

async function* pieces(...parts: (Uint8Array | Error)[]): AsyncGenerator<Uint8Array> {
  for (const part of parts) {
    if (part instanceof Error) throw part
    yield part
  }
}

const PIECE_BYTES = 64 * 1024

/** A body whose every piece differs, made as it is read. Never two pieces alive because of it. */
async function* generated(totalBytes: number): AsyncGenerator<Uint8Array> {
  for (let at = 0; at < totalBytes; at += PIECE_BYTES) {
    const piece = Buffer.alloc(Math.min(PIECE_BYTES, totalBytes - at), at % 251)
    if (piece.length >= 4) piece.writeUInt32BE(at / PIECE_BYTES)
    yield piece
  }
}

const failure = (code: string, key: string) => (error: unknown) =>
  error instanceof ObjectStoreError && error.code === code && error.key === key && error.message.includes(key)

/** What every adapter of {@link StagingStore} has to do. Call it at the top of a test file. */
export function objectStoreContract(
  name: string,
  open: () => Promise<OpenedStore>,
  { manyObjects, largeBytes, tellsTimes = true, weaknesses = [] }: ContractOptions,
): void {
  const isStrong = (weakness: Weakness) => !weaknesses.includes(weakness)
  const check = (title: string, work: (store: StagingStore) => Promise<void>) =>
    test(`${name}: ${title}`, async () => {
      await using opened = await open()
      await work(opened.store)
    })

  check('what was put comes back, whole and in parts', async (store) => {
    const bytes = text('0123456789')
    for (const [key, body] of [
      ['a/one', bytes],
      ['a/two', pieces(bytes.slice(0, 3), new Uint8Array(0), bytes.slice(3))],
      ['did:web:x%3A1/b_c~d.e', bytes],
    ] satisfies [string, ObjectBody][]) {
      assert.deepEqual(await store.put(key, body), { size: 10 })
      assert.equal(await read(store, key), '0123456789')
      assert.deepEqual(await store.head(key), { size: 10 })
      for (const [first, last] of [
        [0, isStrong('first byte alone') ? 0 : 1],
        [2, 4],
        [9, 9],
        [0, 9],
      ] as const) {
        const part = (await store.get(key, { first, last }))!
        assert.equal(part.size, 10)
        assert.deepEqual(await bytesOf(part.body), bytes.slice(first, last + 1))
      }
    }
  })

  check('an empty object is an object', async (store) => {
    for (const body of [new Uint8Array(0), pieces()]) {
      assert.deepEqual(await store.put('empty', body), { size: 0 })
      assert.deepEqual(await store.head('empty'), { size: 0 })
      assert.equal(await read(store, 'empty'), '')
    }
    await assert.rejects(store.get('empty', { first: 1, last: 1 }), failure('InvalidRange', 'empty'))
  })

  check('what is not there is undefined, and deleting it is no error', async (store) => {
    assert.equal(await store.get('a/b/c'), undefined)
    assert.equal(await store.head('a/b/c'), undefined)
    await store.delete('a/b/c')
    assert.deepEqual(await keysOf(store, 'a/'), [])
    await assert.rejects(store.copy('a/b/c', 'd'), failure('NotFound', 'a/b/c'))
    assert.deepEqual(await keysOf(store), [])
  })

  check('what only begins the names of others is no object', async (store) => {
    await store.put('a/b/c', text('x'))
    for (const key of ['a', 'a/b']) {
      assert.equal(await store.get(key), undefined)
      assert.equal(await store.get(key, { first: 0, last: 0 }), undefined)
      assert.equal(await store.head(key), undefined)
      await assert.rejects(store.copy(key, 'd'), failure('NotFound', key))
      await store.delete(key)
    }
    assert.deepEqual(await keysOf(store), ['a/b/c'])
  })

  check('a range outside of the object is refused', async (store) => {
    await store.put('key', text('abc'))
    for (const [first, last] of [
      [0, 3],
      [3, 3],
      [2, 1],
      [-1, 1],
    ] as const)
      await assert.rejects(store.get('key', { first, last }), failure('InvalidRange', 'key'))
  })

  check('a second put takes the place of the first', async (store) => {
    await store.put('key', text('a long first value'))
    const old = (await store.get('key'))!
    await store.put('key', pieces(text('second')))
    assert.equal(await read(store, 'key'), 'second')
    assert.deepEqual(await store.head('key'), { size: 6 })
    // Whoever reads meanwhile gets one of the two whole, or an error.
    const seen = await bytesOf(old.body).then(
      (bytes) => new TextDecoder().decode(bytes),
      () => 'error',
    )
    assert.ok(['a long first value', 'second', 'error'].includes(seen), seen)
  })

  check('a copy is an object of its own', async (store) => {
    await store.put('from', text('value'))
    await store.put('to/there', text('another'))
    await store.copy('from', 'to/there')
    await store.copy('from', 'to/there')
    await store.copy('from', 'from')
    await store.put('from', text('changed'))
    assert.equal(await read(store, 'to/there'), 'value')
    await store.delete('from')
    assert.equal(await read(store, 'to/there'), 'value')
    assert.deepEqual(await keysOf(store), ['to/there'])
    const odd = 'did:plc:a/x%3Ay~z'
    await store.put(odd, text('odd'))
    await store.copy(odd, `copy/${odd}`)
    assert.equal(await read(store, `copy/${odd}`), 'odd')
  })

  check('deleting twice is deleting once; a name can be used again', async (store) => {
    await store.put('a/b', text('x'))
    await store.delete('a/b')
    await store.delete('a/b')
    assert.equal(await store.get('a/b'), undefined)
    await store.put('a/b/c', text('now a folder'))
    assert.deepEqual(await keysOf(store), ['a/b/c'])
  })

  if (isStrong('puts and deletes side by side'))
    check('objects come and go side by side', async (store) => {
      const one = async (name: string) => {
        for (let round = 0; round < 8; round++) {
          await store.put(`shared/${name}`, text(`${name} ${round}`))
          assert.equal(await read(store, `shared/${name}`), `${name} ${round}`)
          if (round < 7) await store.delete(`shared/${name}`)
        }
      }
      await Promise.all(['a', 'b', 'c', 'd'].map(one))
      assert.deepEqual(await keysOf(store), ['shared/a', 'shared/b', 'shared/c', 'shared/d'])
    })

  check('a listing has every object below a prefix, and no other', async (store) => {
    const keys = Array.from({ length: manyObjects }, (_, index) => `list/${index % 7}/${index}`)
    const rest = [...keys, 'listed', 'other/x']
    const workers = Array.from({ length: 16 }, async () => {
      for (let key = rest.pop(); key !== undefined; key = rest.pop()) await store.put(key, text(key))
    })
    await Promise.all(workers)
    assert.deepEqual(await keysOf(store, 'list/'), keys.toSorted())
    assert.deepEqual(await keysOf(store, 'list'), [...keys, 'listed'].sort())
    assert.deepEqual(await keysOf(store, 'list/3/1'), keys.filter((key) => key.startsWith('list/3/1')).sort())
    assert.equal((await keysOf(store)).length, manyObjects + 2)
    assert.deepEqual(await keysOf(store, 'nothing/'), [])
    for await (const { key, size, modifiedAt } of store.list('list/')) {
      assert.equal(size, key.length)
      assert.equal(Number.isFinite(modifiedAt), tellsTimes)
    }
  })

  check('a body that fails leaves nothing, and spoils nothing', async (store) => {
    const fault = new Error('the client went away')
    await store.put('kept', text('as it was'))
    const large = async function* () {
      yield* generated(largeBytes / 2)
      throw fault
    }
    for (const body of [pieces(fault), pieces(text('half'), fault), large()])
      await assert.rejects(store.put('kept', body), (error) => error === fault)
    await assert.rejects(store.put('new', pieces(text('half'), fault)), (error) => error === fault)
    await assert.rejects(store.stage(pieces(text('half'), fault)), (error) => error === fault)
    await assert.rejects(store.stage(large()), (error) => error === fault)
    assert.equal(await read(store, 'kept'), 'as it was')
    assert.deepEqual(await keysOf(store), ['kept'])
    assert.equal(await store.sweep(Number.MAX_SAFE_INTEGER), 0)
  })

  check('a reader may leave early', async (store) => {
    await store.put('large', generated(1_000_000))
    for (let i = 0; i < 20; i++) {
      const object = (await store.get('large'))!
      for await (const piece of object.body) {
        assert.ok(piece.length > 0)
        break
      }
      // Before the first piece, too.
      await (await store.get('large'))!.body[Symbol.asyncIterator]().return?.()
    }
    await store.delete('large')
  })

  check('staged bytes are no object until they are kept', async (store) => {
    for (const size of [0, 5, largeBytes / 2]) {
      {
        await using dropped = await store.stage(generated(size))
        assert.equal(dropped.size, size)
        assert.deepEqual(await keysOf(store), [])
      }
      await using staged = await store.stage(generated(size))
      assert.deepEqual(await keysOf(store), [])
      await store.put('in/place', text('what was there before'))
      await staged.keep('in/place')
      assert.deepEqual(await store.head('in/place'), { size })
      await store.delete('in/place')
    }
    assert.equal(await store.sweep(Number.MAX_SAFE_INTEGER), 0)
  })

  check('what a crash left behind is swept away, if it is old enough', async (store) => {
    const abandoned = await store.stage(generated(largeBytes / 2))
    assert.equal(await store.sweep(0), 0)
    assert.ok((await store.sweep(Number.MAX_SAFE_INTEGER)) <= 1)
    assert.deepEqual(await keysOf(store), [])
    await abandoned[Symbol.asyncDispose]()
  })

  check('a large object comes back as it was', async (store) => {
    assert.deepEqual(await store.put('large', generated(largeBytes)), { size: largeBytes })
    const object = (await store.get('large'))!
    assert.equal(object.size, largeBytes)
    const expected = generated(largeBytes)
    let wanted = Buffer.alloc(0)
    for await (const piece of object.body) {
      while (wanted.length < piece.length) {
        const next = await expected.next()
        assert.ok(!next.done, 'more came than was put')
        wanted = Buffer.concat([wanted, next.value])
      }
      assert.ok(wanted.subarray(0, piece.length).equals(piece))
      wanted = wanted.subarray(piece.length)
    }
    assert.equal(wanted.length, 0)
    assert.ok((await expected.next()).done)
  })

  check('a key that is none is refused before anything happens', async (store) => {
    for (const key of [
      '',
      '..',
      '../x',
      'a/../b',
      '/absolute',
      'a//b',
      'a/',
      '.hidden',
      'a/.tmp',
      'a b',
      'a\\b',
      'a\0b',
      'ä',
      'x'.repeat(256),
      'x/'.repeat(500).concat('x'),
    ]) {
      const refused = (error: unknown) =>
        error instanceof ObjectStoreError &&
        error.code === 'InvalidKey' &&
        error.message.includes(JSON.stringify(key))
      await assert.rejects(store.put(key, text('x')), refused)
      await assert.rejects(store.get(key), refused)
      await assert.rejects(store.head(key), refused)
      await assert.rejects(store.delete(key), refused)
      await assert.rejects(store.copy(key, 'a'), refused)
      await assert.rejects(store.copy('a', key), refused)
      await using staged = await store.stage(pieces(text('x')))
      await assert.rejects(staged.keep(key), refused)
    }
    for (const prefix of ['/', '../', 'a//', '.'])
      await assert.rejects(keysOf(store, prefix), failure('InvalidKey', prefix))
    assert.deepEqual(await keysOf(store), [])
  })
}
