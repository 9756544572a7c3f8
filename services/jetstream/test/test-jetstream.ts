import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type Server, serve } from '@imago/service'
import { createJetstream, type Jetstream, type JetstreamOptions } from '../src/index.ts'

/** A folder that goes away with the test. */
export function temporaryFolder(): Disposable & { readonly path: string } {
  const path = mkdtempSync(join(tmpdir(), 'imago-jetstream-'))
  return { path, [Symbol.dispose]: () => rmSync(path, { recursive: true, force: true }) }
}

/** Jetstream, listening. */
export interface TestJetstream extends AsyncDisposable {
  readonly url: string
  readonly jetstream: Jetstream
  readonly server: Server
}

export async function startJetstream(
  options: Partial<JetstreamOptions> & Pick<JetstreamOptions, 'dataDirectory'>,
): Promise<TestJetstream> {
  await using opened = new AsyncDisposableStack()
  const jetstream = opened.use(await createJetstream({ relayUrl: 'http://relay.test', ...options }))
  const server = opened.use(await serve({ ...jetstream, hostname: '127.0.0.1', port: 0 }))
  const resources = opened.move()
  return { url: server.url, jetstream, server, [Symbol.asyncDispose]: () => resources.disposeAsync() }
}
