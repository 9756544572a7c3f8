import type { ClientBase } from 'pg'

/** Each runs once, in order, in a transaction of its own. Never change one that was released: append. */
const MIGRATIONS: readonly string[] = [
  `
  CREATE TABLE operation (
    seq BIGINT PRIMARY KEY,
    did TEXT COLLATE "C" NOT NULL,
    cid TEXT COLLATE "C" NOT NULL,
    -- The operation as JSON, keys in DAG-CBOR order: its bytes, CID and signature can be had from it again. Text, because
    -- JSONB would lose the order, and refuse NUL.
    json TEXT NOT NULL,
    -- Place of the signing key among the rotation keys of the parent: what a fork is judged by.
    signer INTEGER NOT NULL,
    nullified BOOLEAN NOT NULL DEFAULT false,
    -- Milliseconds since the Unix epoch.
    created_at BIGINT NOT NULL
  );
  CREATE UNIQUE INDEX operation_by_did ON operation (did, seq);
  CREATE UNIQUE INDEX operation_by_time ON operation (created_at, seq);
  -- Hashes of the transparency log at the levels where tiles begin: 0 for leaves, 1 for full tiles of leaves, and so on.
  CREATE TABLE tree_hash (
    level INTEGER NOT NULL,
    place BIGINT NOT NULL,
    hash BYTEA NOT NULL,
    PRIMARY KEY (level, place)
  );
  -- The newest checkpoint only: every older one can be made again from the hashes.
  CREATE TABLE checkpoint (
    id INTEGER PRIMARY KEY CHECK (id = 1),
    size BIGINT NOT NULL,
    note TEXT NOT NULL
  );
  -- Where an entry of the log is not the one before its operation's number: numbers of another directory have gaps.
  CREATE TABLE tree_entry (
    place BIGINT PRIMARY KEY,
    seq BIGINT NOT NULL UNIQUE
  );
  CREATE TABLE evidence (
    id BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    -- Bytes, because what nobody can read may hold NUL, which text may not.
    did BYTEA NOT NULL,
    seq BIGINT NOT NULL,
    json BYTEA NOT NULL,
    reason BYTEA NOT NULL,
    found_at BIGINT NOT NULL
  );
  -- Of hashes: an entry of an index has fewer bytes than an operation.
  CREATE UNIQUE INDEX evidence_once ON evidence (did, seq, sha256(json), sha256(reason));
  `,
  `
  -- Notices that an operation may not stand, though it was taken once. They have numbers among those of operations.
  CREATE TABLE withdrawal (
    seq BIGINT PRIMARY KEY,
    did TEXT COLLATE "C" NOT NULL,
    -- Of the first operation that may not stand.
    cid TEXT COLLATE "C" NOT NULL,
    reason TEXT NOT NULL,
    created_at BIGINT NOT NULL
  );
  CREATE INDEX withdrawal_by_did ON withdrawal (did, seq);
  -- Operations that may not stand: apart, so that whoever asks for histories never meets them.
  CREATE TABLE set_aside (
    seq BIGINT PRIMARY KEY,
    did TEXT COLLATE "C" NOT NULL,
    cid TEXT COLLATE "C" NOT NULL,
    json TEXT NOT NULL,
    nullified BOOLEAN NOT NULL,
    created_at BIGINT NOT NULL,
    rule TEXT NOT NULL,
    fault TEXT NOT NULL,
    -- Of the notice that withdrew it; none in an audit that has not come to it yet.
    notice BIGINT,
    -- Whether it has an entry in the transparency log here; one that a replica was told of has none.
    is_logged BOOLEAN NOT NULL
  );
  CREATE INDEX set_aside_by_did ON set_aside (did, seq);
  CREATE INDEX set_aside_by_notice ON set_aside (notice);
  `,
]

/**
 * Brings a database to the newest schema.
 * @throws {Error} when the database was written by a newer version of this program.
 */
export async function migratePostgres(client: ClientBase): Promise<void> {
  await client.query('CREATE TABLE IF NOT EXISTS plc_schema (version INTEGER NOT NULL)')
  const { rows } = await client.query('SELECT version FROM plc_schema')
  const done: number = rows[0]?.version ?? 0
  if (done > MIGRATIONS.length)
    throw new Error(
      `the database has schema ${done}, this version knows ${MIGRATIONS.length}: run the version that wrote it, or a newer one`,
    )
  for (const [i, sql] of MIGRATIONS.entries())
    if (i >= done)
      await client.query(
        `BEGIN; ${sql} DELETE FROM plc_schema; INSERT INTO plc_schema (version) VALUES (${i + 1}); COMMIT`,
      )
}
