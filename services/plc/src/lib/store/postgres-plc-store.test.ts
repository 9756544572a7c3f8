import assert from 'node:assert/strict'
import { createPostgresDatabase, postgresTest } from '@imago/sim/postgres-test'
import { Client } from 'pg'
import { genesisOf, now, take } from './contract/plc-store.fixture.ts'
import { plcStoreContract } from './plc-store.contract.ts'
import { openPostgresPlcStore } from './postgres-plc-store.ts'

/** An empty database, and a connection to look at it from outside. */
async function freshDatabase() {
  const databaseUrl = await createPostgresDatabase()
  const client = new Client({ connectionString: databaseUrl })
  await client.connect()
  return { databaseUrl, client, [Symbol.asyncDispose]: () => client.end() }
}

plcStoreContract(
  'PostgreSQL',
  async () => {
    const { databaseUrl, client, ...disposable } = await freshDatabase()
    return {
      ...disposable,
      open: (options) => openPostgresPlcStore({ ...options, databaseUrl }),
      async failAt(seq, message) {
        await client.query(`
          CREATE FUNCTION saboteur() RETURNS trigger LANGUAGE plpgsql AS
            $$ BEGIN RAISE EXCEPTION '${message}'; END $$;
          CREATE TRIGGER saboteur BEFORE INSERT ON operation FOR EACH ROW WHEN (new.seq = ${seq})
            EXECUTE FUNCTION saboteur();
          CREATE TRIGGER saboteur BEFORE INSERT ON withdrawal FOR EACH ROW WHEN (new.seq = ${seq})
            EXECUTE FUNCTION saboteur()`)
      },
      async heal() {
        await client.query('DROP FUNCTION saboteur CASCADE')
      },
    }
  },
  postgresTest,
)

postgresTest('PostgreSQL: a second process is refused while the first holds the database', async () => {
  await using database = await freshDatabase()
  const { databaseUrl } = database
  {
    await using store = await openPostgresPlcStore({ databaseUrl, now })
    await assert.rejects(openPostgresPlcStore({ databaseUrl, now }), /another process is the directory/)
    assert.equal(await store.latest(), undefined)
  }
  await using _ = await openPostgresPlcStore({ databaseUrl, now })
})

postgresTest(
  'PostgreSQL: a connection that breaks loses nothing, and the next commit has a new one',
  async () => {
    await using database = await freshDatabase()
    const { databaseUrl, client } = database
    await using store = await openPostgresPlcStore({ databaseUrl, now })
    const [a, b] = [genesisOf('a'), genesisOf('b')]
    assert.equal((await take(store, a.did, a.operation)).seq, 1)
    const { rowCount } = await client.query(
      "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'imago plc'",
    )
    assert.ok(rowCount! > 0)
    const commit = () => take(store, b.did, b.operation)
    assert.equal((await commit().catch(commit)).seq, 2)
    assert.equal((await store.latest())!.seq, 2)
  },
)

postgresTest('PostgreSQL: a database of a newer version is left alone', async () => {
  await using database = await freshDatabase()
  const { databaseUrl, client } = database
  await client.query('CREATE TABLE plc_schema (version INTEGER NOT NULL); INSERT INTO plc_schema VALUES (99)')
  await assert.rejects(openPostgresPlcStore({ databaseUrl, now }), /schema 99/)
})

postgresTest('PostgreSQL: commits are durable also where the server is used not to wait', async () => {
  await using database = await freshDatabase()
  const { databaseUrl, client } = database
  await client.query(`ALTER DATABASE ${client.database} SET synchronous_commit = off`)
  await using store = await openPostgresPlcStore({ databaseUrl, now })
  await client.query(`
    CREATE TABLE seen (setting TEXT);
    CREATE FUNCTION note() RETURNS trigger LANGUAGE plpgsql AS
      $$ BEGIN INSERT INTO seen VALUES (current_setting('synchronous_commit')); RETURN NEW; END $$;
    CREATE TRIGGER note BEFORE INSERT ON operation FOR EACH ROW EXECUTE FUNCTION note()`)
  const { did, operation } = genesisOf('a')
  await take(store, did, operation)
  assert.deepEqual((await client.query('SELECT setting FROM seen')).rows, [{ setting: 'on' }])
})
