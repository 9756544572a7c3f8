import { createHash } from 'node:crypto'
import { type Cid, equalBytes } from '@imago/data'
import { type ObjectStore, ObjectStoreError } from '@imago/object-store'
import { type BlobObjects, BlobUnreadableError, blobObjectKey, checked } from '../backup/blob-source.ts'
import type { BlobCarrier, BlobFault, ReferencePlace, WantedBlob } from './blob-carrier.ts'

const MISSING = 'its object is missing'
const OTHER_BYTES = 'its object has other bytes'
/** A body that breaks off cannot be asked for again by the store itself. */
const ATTEMPTS = 3

/** Folders of the reference's bucket. */
const [SERVED, TEMPORARY, QUARANTINED] = ['blocks', 'tmp', 'quarantine']

const theirKey = (place: ReferencePlace) => {
  if (place.kind === 'served') return `${SERVED}/${place.did}/${place.cid}`
  if (place.kind === 'temporary') return `${TEMPORARY}/${place.did}/${place.key}`
  return `${QUARANTINED}/${place.did}/${place.cid}`
}

/**
 * From the reference's bucket to ours or to a folder of ours, in constant memory. Within one bucket the server copies,
 * and the copy is what is read and compared: each byte travels once.
 *
 * @param stores.ours not needed to check only.
 * @param stores.prefix of our objects in the reference's bucket, when they lie there.
 */
export function createObjectBlobCarrier(
  stores: {
    theirs: ObjectStore
    ours: BlobObjects | undefined
    prefix: string | undefined
  },
  close: () => Promise<void>,
): BlobCarrier {
  const { theirs, prefix } = stores

  function target(): BlobObjects {
    if (stores.ours === undefined) throw new Error('this carrier has been opened to check only')
    return stores.ours
  }

  /** Fills an object that is there whole or not at all. */
  async function takeFromElsewhere(from: string, to: string, wanted: WantedBlob): Promise<BlobFault> {
    const { objects } = target()
    if ((await objects.head(to))?.size === wanted.size) return undefined
    const source = await theirs.get(from)
    if (source === undefined) return MISSING
    if (source.size !== wanted.size) {
      await source.body[Symbol.asyncIterator]().return?.()
      return OTHER_BYTES
    }
    try {
      await objects.put(to, checked(source.body, wanted.cid))
      return undefined
    } catch (error) {
      if (error instanceof BlobUnreadableError) return OTHER_BYTES
      throw error
    }
  }

  /** What an earlier run copied it may not have compared: so it is copied again, which costs the server little. */
  async function takeInside(from: string, to: string, wanted: WantedBlob): Promise<BlobFault> {
    const { objects } = target()
    try {
      await theirs.copy(from, prefix + to)
    } catch (error) {
      if (error instanceof ObjectStoreError && error.code === 'NotFound') return MISSING
      throw error
    }
    const fault = await faultOf(objects, to, wanted)
    if (fault !== undefined) await objects.delete(to)
    return fault
  }

  return {
    check: (place, wanted) => patiently(() => faultOf(theirs, theirKey(place), wanted)),
    take(place, wanted) {
      const take = prefix === undefined ? takeFromElsewhere : takeInside
      const to = blobObjectKey(target(), place.did, wanted.cid)
      return patiently(() => take(theirKey(place), to, wanted))
    },
    sync() {
      // Every object that was put is durable already.
    },
    async give(cid, place) {
      const ours = target()
      const from = blobObjectKey(ours, place.did, cid)
      const to = theirKey(place)
      await patiently(async () => {
        const source = await ours.objects.get(from)
        if (source === undefined) throw new BlobUnreadableError(`the bytes of blob ${cid} are gone`)
        await theirs.put(to, checked(source.body, cid))
      })
    },
    remove: (place) => theirs.delete(theirKey(place)),
    async removeAll(did) {
      for (const folder of [SERVED, TEMPORARY, QUARANTINED])
        for await (const { key } of theirs.list(`${folder}/${did}/`)) await theirs.delete(key)
    },
    [Symbol.asyncDispose]: close,
  }
}

async function faultOf(store: ObjectStore, key: string, { cid, size }: WantedBlob): Promise<BlobFault> {
  const object = await store.get(key)
  if (object === undefined) return MISSING
  if (object.size !== size) {
    await object.body[Symbol.asyncIterator]().return?.()
    return OTHER_BYTES
  }
  return (await holds(object.body, cid)) ? undefined : OTHER_BYTES
}

async function holds(body: AsyncIterable<Uint8Array>, cid: Cid): Promise<boolean> {
  const hash = createHash('sha256')
  for await (const piece of body) hash.update(piece)
  return equalBytes(hash.digest(), cid.digest)
}

async function patiently<T>(work: () => Promise<T>): Promise<T> {
  for (let attempt = 1; ; attempt++) {
    try {
      return await work()
    } catch (error) {
      const mayPass = error instanceof ObjectStoreError && ['Unavailable', 'Corrupt'].includes(error.code)
      if (!mayPass || attempt === ATTEMPTS) throw error
    }
  }
}
