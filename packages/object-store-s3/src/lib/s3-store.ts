import { randomUUID } from 'node:crypto'
import type { Readable } from 'node:stream'
import {
  AbortMultipartUploadCommand,
  CopyObjectCommand,
  DeleteObjectCommand,
  GetObjectCommand,
  HeadObjectCommand,
  ListMultipartUploadsCommand,
  paginateListObjectsV2,
} from '@aws-sdk/client-s3'
import {
  assertKey,
  assertKeyPrefix,
  type ByteRange,
  freePieces,
  isKey,
  joinPieces,
  type ListedObject,
  ObjectStoreError,
  type StagingStore,
} from '@imago/object-store'
import { readS3Body } from './s3-body.ts'
import { openBucket, type S3BucketOptions } from './s3-bucket.ts'
import { asked, isNotImplemented, storeError } from './s3-errors.ts'
import { MD5_METADATA, putBytes, putParts, type Target } from './s3-upload.ts'

export type S3StoreOptions = S3BucketOptions

export interface S3Store extends StagingStore, Disposable {}

/** No segment of a key begins with a dot. */
const STAGED = '.staged/'

/**
 * Objects in a bucket of S3, or of a server that speaks as it does. Nothing is asked of the server until something is
 * asked of the store.
 * @throws {TypeError} when the options do not fit together.
 */
export function createS3Store(options: S3StoreOptions): S3Store {
  const s3 = openBucket(options)
  const { client, bucket: Bucket, prefix, slow, partBytes, requestTimeoutMs } = s3

  function targetOf(key: string): Target {
    assertKey(key)
    return { key, s3Key: prefix + key }
  }

  /**
   * Takes in as much of a body as one request can carry. `rest` is the whole body if there is more, to be read in place
   * of it.
   */
  async function firstPart(
    body: AsyncIterable<Uint8Array>,
    mayFree: boolean,
  ): Promise<{ bytes: Uint8Array } | { rest: AsyncIterable<Uint8Array> }> {
    const parts = joinPieces(body, partBytes)
    const first = await parts.next()
    if (first.done) return { bytes: new Uint8Array(0) }
    if (first.value.length < partBytes) {
      const bytes = Buffer.concat(first.value.pieces)
      if (mayFree) freePieces(first.value.pieces)
      return { bytes }
    }
    return {
      rest: (async function* () {
        yield* first.value.pieces
        for await (const { pieces } of parts) yield* pieces
      })(),
    }
  }

  async function head(key: string): Promise<{ readonly size: number } | undefined> {
    const { s3Key } = targetOf(key)
    try {
      const { ContentLength } = await asked(key, () =>
        client.send(new HeadObjectCommand({ Bucket, Key: s3Key })),
      )
      return { size: ContentLength ?? 0 }
    } catch (error) {
      return undefinedIfAbsent(error)
    }
  }

  /** @param Key in the bucket. */
  const remove = (key: string, Key: string) =>
    asked(key, () => client.send(new DeleteObjectCommand({ Bucket, Key })))

  async function copyInside(from: Target, to: Target): Promise<void> {
    const path = from.s3Key.split('/').map(encodeURIComponent).join('/')
    // A colon may stand as it is, and some servers do not decode it.
    const CopySource = `${Bucket}/${path.replaceAll('%3A', ':')}`
    try {
      await asked(to.key, () =>
        client.send(new CopyObjectCommand({ Bucket, Key: to.s3Key, CopySource }), slow),
      )
    } catch (error) {
      if (!(error instanceof ObjectStoreError) || error.code !== 'NotFound') throw error
      throw absentSource(from.key, error)
    }
  }

  return {
    async put(key, body) {
      const target = targetOf(key)
      if (body instanceof Uint8Array) {
        if (body.length <= partBytes) await putBytes(s3, target, body)
        else await putParts(s3, target, slices(body, partBytes), false)
        return { size: body.length }
      }
      const first = await firstPart(body, false)
      if ('rest' in first) return { size: await putParts(s3, target, first.rest, false) }
      await putBytes(s3, target, first.bytes)
      return { size: first.bytes.length }
    },

    async stage(body) {
      const first = await firstPart(body, true)
      if ('bytes' in first) {
        const { bytes } = first
        return {
          size: bytes.length,
          keep: async (key) => putBytes(s3, targetOf(key), bytes),
          async [Symbol.asyncDispose]() {},
        }
      }
      const staged: Target = { key: 'a new object', s3Key: `${prefix}${STAGED}${randomUUID()}` }
      const size = await putParts(s3, staged, first.rest, true)
      return {
        size,
        keep: async (key) => copyInside(staged, targetOf(key)),
        async [Symbol.asyncDispose]() {
          // What stays behind is swept up later; the object is there, or its writer knows that it is not.
          await remove(staged.key, staged.s3Key).catch(() => {})
        },
      }
    },

    async get(key, range) {
      const { s3Key } = targetOf(key)
      if (range !== undefined && (range.first < 0 || range.first > range.last)) throw outside(key, range)
      const Range = range && `bytes=${range.first}-${range.last}`
      try {
        const answer = await asked(key, () =>
          client.send(new GetObjectCommand({ Bucket, Key: s3Key, Range })),
        )
        const source = answer.Body as Readable
        const { length, size } = lengthsOf(answer, range)
        if (range !== undefined && length !== range.last - range.first + 1) {
          source.on('error', () => {}).destroy()
          throw outside(key, range, size)
        }
        const md5 = range === undefined ? answer.Metadata?.[MD5_METADATA] : undefined
        return { size, body: readS3Body(source, { key, length, md5, stallMs: requestTimeoutMs }) }
      } catch (error) {
        if (error instanceof ObjectStoreError && error.code === 'InvalidRange' && range !== undefined)
          throw outside(key, range)
        return undefinedIfAbsent(error)
      }
    },

    head,

    async copy(from, to) {
      const [source, target] = [targetOf(from), targetOf(to)]
      if (from !== to) return copyInside(source, target)
      if ((await head(from)) === undefined) throw absentSource(from)
    },

    async delete(key) {
      await remove(key, targetOf(key).s3Key)
    },

    async *list(wanted): AsyncGenerator<ListedObject> {
      assertKeyPrefix(wanted)
      const pages = paginateListObjectsV2(
        { client, pageSize: s3.pageKeys },
        { Bucket, Prefix: prefix + wanted },
      )
      try {
        for await (const { Contents = [] } of pages)
          for (const { Key = '', Size = 0, LastModified } of Contents) {
            const key = Key.slice(prefix.length)
            if (isKey(key)) yield { key, size: Size, modifiedAt: LastModified?.getTime() }
          }
      } catch (error) {
        throw storeError(wanted, error)
      }
    },

    async sweep(before) {
      let removed = 0
      const Prefix = prefix + STAGED
      const isOld = (date: Date | undefined) => date !== undefined && date.getTime() < before
      await asked(STAGED, async () => {
        for await (const { Contents = [] } of paginateListObjectsV2({ client }, { Bucket, Prefix }))
          for (const { Key = '', LastModified } of Contents)
            if (isOld(LastModified)) {
              await remove(STAGED, Key)
              removed++
            }
      })
      for (const { Key, UploadId, Initiated } of await openUploads())
        if (isOld(Initiated)) {
          await asked(STAGED, () => client.send(new AbortMultipartUploadCommand({ Bucket, Key, UploadId })))
          removed++
        }
      return removed
    },

    [Symbol.dispose]: () => client.destroy(),
  }

  /** One page of uploads in parts that never ended; none where the server cannot list them. The next sweep sees more. */
  async function openUploads() {
    try {
      const { Uploads = [] } = await client.send(new ListMultipartUploadsCommand({ Bucket, Prefix: prefix }))
      return Uploads
    } catch (error) {
      if (isNotImplemented(error)) return []
      throw storeError(STAGED, error)
    }
  }
}

/** Bytes of the body, and of the whole object. */
function lengthsOf(
  answer: { ContentLength?: number | undefined; ContentRange?: string | undefined },
  range: ByteRange | undefined,
): { length: number; size: number } {
  const length = answer.ContentLength ?? 0
  const total = range && /\/(\d+)$/.exec(answer.ContentRange ?? '')?.[1]
  return { length, size: total === undefined ? length : Number(total) }
}

async function* slices(bytes: Uint8Array, length: number): AsyncGenerator<Uint8Array> {
  for (let at = 0; at < bytes.length; at += length) yield bytes.subarray(at, at + length)
}

function undefinedIfAbsent(error: unknown): undefined {
  if (error instanceof ObjectStoreError && error.code === 'NotFound') return undefined
  throw error
}

const absentSource = (key: string, cause?: unknown) =>
  new ObjectStoreError('NotFound', key, `there is no object ${key} to copy`, { cause })

const outside = (key: string, { first, last }: ByteRange, size?: number) =>
  new ObjectStoreError(
    'InvalidRange',
    key,
    `bytes ${first} to ${last} do not lie within ${key}${size === undefined ? '' : `, which has ${size} bytes`}`,
  )
