import { createHash } from 'node:crypto'
import {
  AbortMultipartUploadCommand,
  CompleteMultipartUploadCommand,
  CreateMultipartUploadCommand,
  DeleteObjectCommand,
  PutObjectCommand,
  UploadPartCommand,
} from '@aws-sdk/client-s3'
import { freePieces, joinPieces, ObjectStoreError } from '@imago/object-store'
import type { S3Bucket } from './s3-bucket.ts'
import { asked } from './s3-errors.ts'

/** Metadata of objects that were put in one request: the MD5 of their bytes, in hexadecimal. */
export const MD5_METADATA = 'imago-md5'

const MAX_PARTS = 10_000

/** Where an upload goes: the key that messages name, and the one in the bucket. */
export interface Target {
  readonly key: string
  readonly s3Key: string
}

/** Stores an object of at most one part, in one request. */
export async function putBytes(s3: S3Bucket, { key, s3Key }: Target, bytes: Uint8Array): Promise<void> {
  const { client, bucket: Bucket, slow } = s3
  const md5 = createHash('md5').update(bytes).digest()
  const command = new PutObjectCommand({
    Bucket,
    Key: s3Key,
    Body: bytes,
    ContentLength: bytes.length,
    ContentMD5: md5.toString('base64'),
    Metadata: { [MD5_METADATA]: md5.toString('hex') },
  })
  const { ETag, ServerSideEncryption } = await asked(key, () => client.send(command, slow))
  if (agrees(ETag, md5, ServerSideEncryption)) return
  await client.send(new DeleteObjectCommand({ Bucket, Key: s3Key })).catch(() => {})
  throw corrupt(key)
}

/**
 * Stores an object that is not empty, part by part: one is on its way while the next is gathered. When it fails, the parts
 * are taken back.
 * @param mayFree whether nobody else needs the pieces of the body.
 * @returns bytes of the whole object.
 */
export async function putParts(
  s3: S3Bucket,
  target: Target,
  body: AsyncIterable<Uint8Array>,
  mayFree: boolean,
): Promise<number> {
  const { client, bucket: Bucket, slow, partBytes } = s3
  const { key, s3Key: Key } = target
  let UploadId: string | undefined
  const parts: { PartNumber: number; ETag: string | undefined }[] = []

  async function begin(): Promise<string | undefined> {
    const command = new CreateMultipartUploadCommand({ Bucket, Key })
    return (await asked(key, () => client.send(command))).UploadId
  }

  async function putPart(PartNumber: number, Body: Uint8Array): Promise<void> {
    const md5 = createHash('md5').update(Body).digest()
    const { ETag, ServerSideEncryption } = await asked(key, () =>
      client.send(
        new UploadPartCommand({
          Bucket,
          Key,
          UploadId,
          PartNumber,
          Body,
          ContentLength: Body.length,
          ContentMD5: md5.toString('base64'),
        }),
        slow,
      ),
    )
    if (!agrees(ETag, md5, ServerSideEncryption)) throw corrupt(key)
    parts.push({ PartNumber, ETag })
  }

  let onItsWay: Promise<void> = Promise.resolve()
  try {
    let size = 0
    let number = 0
    for await (const { pieces, length } of joinPieces(body, partBytes)) {
      if (++number > MAX_PARTS)
        throw new ObjectStoreError(
          'Failed',
          key,
          `${key} is longer than ${MAX_PARTS} parts of ${partBytes} bytes: set larger parts`,
        )
      // Not before the body has been touched: whoever fails to begin must still let go of it.
      UploadId ??= await begin()
      await onItsWay
      const part = Buffer.concat(pieces, length)
      if (mayFree) freePieces(pieces)
      onItsWay = putPart(number, part)
      // Whether it failed is asked above and below.
      onItsWay.catch(() => {})
      size += length
    }
    await onItsWay
    const command = new CompleteMultipartUploadCommand({
      Bucket,
      Key,
      UploadId,
      MultipartUpload: { Parts: parts },
    })
    await asked(key, () => client.send(command, slow))
    return size
  } catch (error) {
    await onItsWay.catch(() => {})
    // What cannot be taken back now is swept up later.
    if (UploadId !== undefined)
      await client.send(new AbortMultipartUploadCommand({ Bucket, Key, UploadId })).catch(() => {})
    throw error
  }
}

/** Whether the server's ETag is the MD5 of what was sent. With keys of a key service, and on some servers, it is no MD5. */
function agrees(etag: string | undefined, md5: Buffer, encryption: string | undefined): boolean {
  const found = /^"?([0-9a-f]{32})"?$/.exec(etag ?? '')?.[1]
  return found === undefined || encryption?.startsWith('aws:') === true || found === md5.toString('hex')
}

const corrupt = (key: string) =>
  new ObjectStoreError('Corrupt', key, `${key}: the S3 server stored something else than was sent to it`)
