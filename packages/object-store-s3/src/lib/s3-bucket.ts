import { S3Client } from '@aws-sdk/client-s3'

export interface S3BucketOptions {
  readonly bucket: string
  /** Default `us-east-1`, which servers other than Amazon's take for any. */
  readonly region?: string | undefined
  /** Address of a server other than Amazon's. */
  readonly endpoint?: string | undefined
  /** Puts the bucket into the path instead of the host name; most servers other than Amazon's need it. */
  readonly forcePathStyle?: boolean | undefined
  /** Both keys, or neither: then they come from where Amazon's tools look for them. */
  readonly accessKeyId?: string | undefined
  readonly secretAccessKey?: string | undefined
  /** Put before every key, such as `pds/`. Default: nothing. */
  readonly prefix?: string | undefined
  /** Longest wait for the answer to one request, and for the next piece of a body. Default 15 s. */
  readonly requestTimeoutMs?: number | undefined
  /**
   * Longest time for a request that carries a part of an object, or makes the server copy one. Default 60 s. A body has
   * many parts; how slowly it comes does not matter here.
   */
  readonly uploadTimeoutMs?: number | undefined
  /** Tries of a request that the server refuses for the moment (503 SlowDown, a broken connection). Default 4. */
  readonly maxAttempts?: number | undefined
  /** Bytes of a part. Default 8 MiB; Amazon's least is 5 MiB. An object has at most 10,000 of them. */
  readonly partBytes?: number | undefined
  /** Keys of one page of a listing. Default 1,000, which is also the most. */
  readonly pageKeys?: number | undefined
}

/** A bucket with every choice made. */
export interface S3Bucket {
  readonly client: S3Client
  readonly bucket: string
  readonly prefix: string
  readonly requestTimeoutMs: number
  /** For requests with a part of an object: given to each of them. */
  readonly slow: { readonly requestTimeout: number }
  readonly partBytes: number
  readonly pageKeys: number
}

const CONNECTION_TIMEOUT_MS = 5_000
const MAX_SOCKETS = 128

export function openBucket(options: S3BucketOptions): S3Bucket {
  const { accessKeyId, secretAccessKey, requestTimeoutMs = 15_000, uploadTimeoutMs = 60_000 } = options
  if ((accessKeyId === undefined) !== (secretAccessKey === undefined))
    throw new TypeError('of accessKeyId and secretAccessKey one is missing: give both, or neither')
  const agent = { keepAlive: true, maxSockets: MAX_SOCKETS }
  const client = new S3Client({
    region: options.region ?? 'us-east-1',
    ...(options.endpoint !== undefined && { endpoint: options.endpoint }),
    forcePathStyle: options.forcePathStyle ?? false,
    ...(accessKeyId !== undefined &&
      secretAccessKey !== undefined && { credentials: { accessKeyId, secretAccessKey } }),
    maxAttempts: options.maxAttempts ?? 4,
    retryMode: 'standard',
    // Newer checksums come as trailers, which many servers store as if they were part of the object. Ours are the MD5
    // and the signed SHA-256 of each request, which every server checks.
    requestChecksumCalculation: 'WHEN_REQUIRED',
    responseChecksumValidation: 'WHEN_REQUIRED',
    // Would open a connection of its own for each part.
    expectContinueHeader: false,
    requestHandler: {
      connectionTimeout: CONNECTION_TIMEOUT_MS,
      requestTimeout: requestTimeoutMs,
      // Without this a timeout is a line in the log.
      throwOnRequestTimeout: true,
      httpAgent: agent,
      httpsAgent: agent,
    },
  })
  return {
    client,
    bucket: options.bucket,
    prefix: options.prefix ?? '',
    requestTimeoutMs,
    slow: { requestTimeout: uploadTimeoutMs },
    partBytes: options.partBytes ?? 8 * 1024 * 1024,
    pageKeys: options.pageKeys ?? 1_000,
  }
}
