import { after } from 'node:test'
import { infrastructureTest } from './infrastructure.ts'
import { missingPostgres, type PostgresTestServer, startPostgresTestServer } from './postgres-server.ts'

/** One for all tests of this process: a database costs a fiftieth of a server. */
let server: Promise<PostgresTestServer> | undefined
let databases = 0

after(async () => await (await server)?.[Symbol.asyncDispose]())

/** A test that needs PostgreSQL; skipped or failed where it is absent, as `infrastructureTest` says. */
export function postgresTest(title: string, body: () => Promise<void>): void {
  infrastructureTest(title, missingPostgres(), body)
}

/** Address of a database that is empty, and this test's own. */
export async function createPostgresDatabase(): Promise<string> {
  server ??= startPostgresTestServer()
  return await (await server).createDatabase(`test_${++databases}`)
}
