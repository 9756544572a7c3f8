import { mkdtempSync, rmSync } from 'node:fs'
import { createServer, type IncomingMessage, request, type ServerResponse } from 'node:http'
import { createRequire } from 'node:module'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

/** The package brings no types. */
interface S3rver {
  run(): Promise<AddressInfo>
  close(): Promise<void>
}
const S3rverClass: new (options: object) => S3rver = createRequire(import.meta.url)('s3rver')

const BUCKET = 'imago-test'

/** What this server is known to do wrong, in the words of the contract suite of object stores. */
export const S3RVER_WEAKNESSES = ['first byte alone', 'puts and deletes side by side'] as const

/** What stands between client and server may answer in its place, or change what passes. */
export interface Fault {
  /** Returns `true` when it has answered. */
  request?(request: IncomingMessage, response: ServerResponse): boolean
  /** The server has done its work. Returns `true` when this has answered in its place, or keeps silent. */
  answered?(request: IncomingMessage, response: ServerResponse): boolean
  /** A chunk of an answer's body, on its way to the client. */
  body?(request: IncomingMessage, chunk: Buffer): Buffer
  headers?(request: IncomingMessage, headers: IncomingMessage['headers']): IncomingMessage['headers']
}

/** Where a bucket lies, and who may use it. */
export interface S3Location {
  readonly bucket: string
  readonly endpoint: string
  readonly forcePathStyle: true
  readonly accessKeyId: string
  readonly secretAccessKey: string
}

export interface S3TestServer extends AsyncDisposable {
  readonly location: S3Location
  /** Set to break things; counts are for the test to keep. */
  fault: Fault | undefined
  /** Requests that came, as `METHOD /path?query`. */
  readonly seen: string[]
}

/**
 * The server makes its continuation tokens with a cipher that OpenSSL has given up: so it gets to list everything, which
 * for it is at most 1,000 keys, and the page is cut here. A token is the last key before it.
 */
function wholeListing(url: string): string {
  const { pathname, searchParams } = new URL(url, 'http://s3')
  searchParams.delete('continuation-token')
  searchParams.set('max-keys', '1000')
  return `${pathname}?${searchParams}`
}

function pageOf(listing: string, url: string): string {
  const { searchParams } = new URL(url, 'http://s3')
  const limit = Number(searchParams.get('max-keys') ?? 1000)
  const after = searchParams.get('continuation-token') ?? ''
  const entries = listing.match(/<Contents>.*?<\/Contents>/gs) ?? []
  const keyOf = (entry: string) => /<Key>(.*?)<\/Key>/.exec(entry)?.[1] ?? ''
  const sorted = entries.toSorted((a, b) => (keyOf(a) < keyOf(b) ? -1 : 1))
  const rest = sorted.filter((entry) => keyOf(entry) > after)
  const page = rest.slice(0, limit)
  const isTruncated = rest.length > page.length
  const token = isTruncated ? `<NextContinuationToken>${keyOf(page.at(-1)!)}</NextContinuationToken>` : ''
  return `<?xml version="1.0" encoding="UTF-8"?><ListBucketResult><IsTruncated>${isTruncated}</IsTruncated>${token}${page.join('')}</ListBucketResult>`
}

/** An S3 server in this process on a free port, with one empty bucket, behind a proxy that can break things. */
export async function startS3TestServer(): Promise<S3TestServer> {
  const directory = mkdtempSync(join(tmpdir(), 'imago-s3-'))
  const s3 = new S3rverClass({
    address: '127.0.0.1',
    port: 0,
    silent: true,
    directory,
    // The proxy's port is part of what is signed.
    allowMismatchedSignatures: true,
    configureBuckets: [{ name: BUCKET }],
  })
  const { port: innerPort } = await s3.run()
  const seen: string[] = []
  const state: { fault: Fault | undefined } = { fault: undefined }
  const proxy = createServer((incoming, outgoing) => {
    seen.push(`${incoming.method} ${incoming.url}`)
    const { fault } = state
    if (fault?.request?.(incoming, outgoing)) return
    const { url = '' } = incoming
    const isListing = incoming.method === 'GET' && url.includes('list-type=2')
    const forward = request(
      {
        host: '127.0.0.1',
        port: innerPort,
        method: incoming.method,
        path: isListing ? wholeListing(url) : url,
        headers: incoming.headers,
      },
      (answer) => {
        if (fault?.answered?.(incoming, outgoing)) {
          answer.resume()
          return
        }
        if (isListing && answer.statusCode === 200) {
          const chunks: Buffer[] = []
          answer.on('data', (chunk: Buffer) => chunks.push(chunk))
          answer.on('end', () =>
            outgoing
              .writeHead(200, { 'content-type': 'application/xml' })
              .end(pageOf(Buffer.concat(chunks).toString(), url)),
          )
          return
        }
        outgoing.writeHead(
          answer.statusCode ?? 500,
          fault?.headers?.(incoming, answer.headers) ?? answer.headers,
        )
        answer.on('data', (chunk: Buffer) => {
          if (!outgoing.write(fault?.body?.(incoming, chunk) ?? chunk)) {
            answer.pause()
            outgoing.once('drain', () => answer.resume())
          }
        })
        answer.on('end', () => outgoing.end())
        outgoing.on('close', () => answer.destroy())
      },
    )
    forward.on('error', () => outgoing.destroy())
    incoming.on('error', () => forward.destroy())
    incoming.pipe(forward)
  })
  await new Promise<void>((resolve) => proxy.listen(0, '127.0.0.1', resolve))
  const { port } = proxy.address() as AddressInfo
  return {
    seen,
    get fault() {
      return state.fault
    },
    set fault(fault) {
      state.fault = fault
    },
    location: {
      bucket: BUCKET,
      endpoint: `http://127.0.0.1:${port}`,
      forcePathStyle: true,
      accessKeyId: 'S3RVER',
      secretAccessKey: 'S3RVER',
    },
    async [Symbol.asyncDispose]() {
      proxy.closeAllConnections()
      await new Promise((resolve) => proxy.close(resolve))
      await s3.close()
      rmSync(directory, { recursive: true, force: true })
    },
  }
}

/** The settings of a real S3 server, which continuous integration starts (`.ci/ceph-rgw`). */
const SETTINGS = {
  endpoint: 'TEST_S3_ENDPOINT',
  bucket: 'TEST_S3_BUCKET',
  accessKeyId: 'TEST_S3_ACCESS_KEY_ID',
  secretAccessKey: 'TEST_S3_SECRET_ACCESS_KEY',
} as const

/** The real server that the environment names, or a sentence that says what is missing, for `infrastructureTest`. */
export function realS3Server():
  | { readonly location: S3Location; readonly missing?: undefined }
  | { readonly location?: undefined; readonly missing: string } {
  const found = (name: keyof typeof SETTINGS) => process.env[SETTINGS[name]]
  const [endpoint, bucket] = [found('endpoint'), found('bucket')]
  const [accessKeyId, secretAccessKey] = [found('accessKeyId'), found('secretAccessKey')]
  if (!endpoint || !bucket || !accessKeyId || !secretAccessKey)
    return {
      missing: `${Object.values(SETTINGS).join(', ')} are not all set: .ci/ceph-rgw starts such a server`,
    }
  return { location: { bucket, endpoint, forcePathStyle: true, accessKeyId, secretAccessKey } }
}
