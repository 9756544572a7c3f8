import { globSync, readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { gzipSync } from 'node:zlib'
import type { Peers } from '../lib/peers.ts'
import type { Row } from '../lib/row.ts'

const root = fileURLToPath(new URL('../..', import.meta.url))

const CALL_KB = 2.5
const BASE_KB = 6
const RECORD_KB = 0.3
const GZIP_LEVEL = 9

/**
 * What a page downloads: bundled for browsers, minified, gzipped.
 * @param generated the folder of modules that @imago/lexicon made of all published documents.
 */
export async function* bundleRows(peers: Peers, generated: string): AsyncGenerator<Row> {
  const bundle = bundler((await peers.load('esbuild')) as Esbuild)
  const peerFolder = dirname(peers.entry)
  const params = `{ params: { handle: 'alice.test' } }`
  const call = await bundle(
    root,
    `import { createJsonClient } from '@imago/xrpc/json-client'
    import type { Methods } from '@imago/atproto'
    const client = createJsonClient<Methods>({ service: location.origin })
    client.query('com.atproto.identity.resolveHandle', ${params}).then(({ did }) => console.log(did))`,
  )
  const checkedCall = await bundle(
    root,
    `import { createClient } from '@imago/xrpc/client'
    import { main } from '@imago/atproto/com/atproto/identity/resolveHandle'
    createClient({ service: location.origin }).call(main, ${params}).then(({ did }) => console.log(did))`,
  )
  const peerCall = await bundle(
    peerFolder,
    `import { Client, simpleFetchHandler } from '@atcute/client'
    const client = new Client({ handler: simpleFetchHandler({ service: location.origin }) })
    client.get('com.atproto.identity.resolveHandle', ${params}).then(({ data }) => console.log(data.did))`,
  )
  yield {
    name: 'one typed call in a browser',
    unit: 'kB',
    ours: call,
    peers: { [peers.title('@atcute/client')]: peerCall },
    bar: { limit: CALL_KB },
    note: `with parameters and answer checked, and links and bytes made of JSON: ${checkedCall} kB`,
  }

  const like = `${generated}/app/bsky/feed/like.ts`
  const base = await bundle(root, validatorsOf([like]))
  yield {
    name: 'validators in a browser, the first record',
    unit: 'kB',
    ours: base,
    peers: {
      [peers.title('@atcute/lexicons')]: await bundle(
        peerFolder,
        `import { AppBskyFeedLike } from '@atcute/bluesky'
        import { is } from '@atcute/lexicons/validations'
        console.log(is(AppBskyFeedLike.mainSchema, JSON.parse(location.hash)))`,
      ),
    },
    bar: { limit: BASE_KB },
  }
  const records = globSync('**/*.ts', { cwd: generated })
    .map((path) => join(generated, path))
    .filter((path) => readFileSync(path, 'utf8').includes('export const main: RecordSchema'))
  const all = await bundle(root, validatorsOf(records))
  yield {
    name: 'validators in a browser, each further record',
    unit: 'kB',
    ours: (all - base) / (records.length - 1),
    bar: { limit: RECORD_KB },
    note: `on average of ${records.length}, with everything that they refer to: ${all} kB`,
  }
}

function validatorsOf(modules: readonly string[]): string {
  const imports = modules.map((path, i) => `import { main as r${i} } from ${JSON.stringify(path)}`)
  const checks = modules.map((_, i) => `r${i}.is(value)`)
  return `${imports.join('\n')}\nconst value: unknown = JSON.parse(location.hash)\nconsole.log(${checks.join()})`
}

interface Esbuild {
  build(options: object): Promise<{ outputFiles: { contents: Uint8Array }[] }>
}

/** Kilobytes of a module once bundled, minified and gzipped. */
const bundler =
  ({ build }: Esbuild) =>
  async (resolveDir: string, contents: string): Promise<number> => {
    const { outputFiles } = await build({
      stdin: { contents, resolveDir, loader: 'ts' },
      bundle: true,
      minify: true,
      format: 'esm',
      platform: 'browser',
      target: 'es2024',
      legalComments: 'none',
      write: false,
    })
    return gzipSync(outputFiles[0]!.contents, { level: GZIP_LEVEL }).length / 1000
  }
