import { Client, type ClientBase, types } from 'pg'

/** The one connection that may write. */
export interface PostgresWriter extends AsyncDisposable {
  /**
   * Runs `work` in a transaction, one at a time, in the order of these calls. Whatever it throws undoes all of it.
   * @throws {Error} when another process has the lock; what the connection throws.
   */
  transaction<T>(work: (client: ClientBase) => Promise<T>): Promise<T>
}

/** Of the directory, among the advisory locks of its database. */
const LOCK = 0x696d_6167

const INT8 = 20

/** Numbers, where the driver would give text: all of ours are within what a double holds exactly. */
export const NUMERIC_TYPES = {
  getTypeParser: ((oid: number, format?: 'text' | 'binary') =>
    oid === INT8 ? Number : types.getTypeParser(oid, format as 'text')) as typeof types.getTypeParser,
}

export const CONNECTION = {
  types: NUMERIC_TYPES,
  keepAlive: true,
  connectionTimeoutMillis: 10_000,
  statement_timeout: 30_000,
  application_name: 'imago plc',
} as const

/**
 * Connects and takes the lock, so that no second process ever gives numbers. A connection that is lost takes lock and
 * transaction with it; the next transaction connects anew.
 * @param onConnect is told of each connection before it is used: what was remembered of the last may be outdated.
 * @throws {Error} when another process has the lock, or nobody answers.
 */
export async function openPostgresWriter(
  url: string,
  onConnect: (client: ClientBase) => Promise<void>,
): Promise<PostgresWriter> {
  let client: Client | undefined
  let last: Promise<unknown> = Promise.resolve()

  async function connect(): Promise<Client> {
    const fresh = new Client({ connectionString: url, ...CONNECTION })
    const lost = () => {
      if (client === fresh) client = undefined
    }
    fresh.on('error', lost)
    fresh.on('end', lost)
    try {
      await fresh.connect()
      const { rows } = await fresh.query('SELECT pg_try_advisory_lock($1) AS mine', [LOCK])
      if (!rows[0].mine)
        throw new Error(
          'another process is the directory of this database: stop it first, or give this one a database of its own',
        )
      // An answer must mean that the operation is durable, whatever the server is used to.
      await fresh.query(
        "SELECT set_config('synchronous_commit', 'on', false) WHERE current_setting('synchronous_commit') = 'off'",
      )
      await onConnect(fresh)
    } catch (error) {
      await fresh.end().catch(() => {})
      throw error
    }
    client = fresh
    return fresh
  }

  /** A connection in a new transaction. One that was lost meanwhile has begun nothing, and is replaced. */
  async function begin(): Promise<Client> {
    if (client !== undefined)
      try {
        await client.query('BEGIN')
        return client
      } catch {
        abandon()
      }
    const fresh = await connect()
    await fresh.query('BEGIN')
    return fresh
  }

  function abandon(): void {
    client?.end().catch(() => {})
    client = undefined
  }

  async function run<T>(work: (client: ClientBase) => Promise<T>): Promise<T> {
    const connection = await begin()
    try {
      const result = await work(connection)
      await connection.query('COMMIT')
      return result
    } catch (error) {
      try {
        await connection.query('ROLLBACK')
      } catch {
        // Whoever cannot roll back is not to be asked again; the server does it when the connection ends.
        abandon()
      }
      throw error
    }
  }

  await connect()
  return {
    transaction(work) {
      const result = last.then(() => run(work))
      last = result.catch(() => {})
      return result
    },
    async [Symbol.asyncDispose]() {
      await last
      const connection = client
      client = undefined
      await connection?.end()
    },
  }
}
