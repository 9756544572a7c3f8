import type { DatabaseSync } from 'node:sqlite'
import { parseCid } from '@imago/data'
import { didBytes } from './sqlite-row.ts'

/** Each runs once, in order, in a transaction of its own. Never change one that was released: append. */
const MIGRATIONS: readonly string[] = [
  `
  CREATE TABLE operation (
    seq INTEGER PRIMARY KEY,
    did TEXT NOT NULL,
    cid TEXT NOT NULL,
    -- The operation as JSON, keys in DAG-CBOR order: its bytes, CID and signature can be had from it again.
    json TEXT NOT NULL,
    -- Place of the signing key among the rotation keys of the parent: what a fork is judged by.
    signer INTEGER NOT NULL,
    nullified INTEGER NOT NULL DEFAULT 0 CHECK (nullified IN (0, 1)),
    -- Milliseconds since the Unix epoch.
    created_at INTEGER NOT NULL
  ) STRICT;
  CREATE UNIQUE INDEX operation_by_did ON operation (did, seq);
  CREATE UNIQUE INDEX operation_by_time ON operation (created_at, seq);
  `,
  `
  -- Hashes of the transparency log at the levels where tiles begin: 0 for leaves, 1 for full tiles of leaves, and so on.
  CREATE TABLE tree_hash (
    level INTEGER NOT NULL,
    place INTEGER NOT NULL,
    hash BLOB NOT NULL,
    PRIMARY KEY (level, place)
  ) STRICT, WITHOUT ROWID;
  -- The newest checkpoint only: every older one can be made again from the hashes.
  CREATE TABLE checkpoint (
    id INTEGER PRIMARY KEY CHECK (id = 1),
    size INTEGER NOT NULL,
    note TEXT NOT NULL
  ) STRICT;
  `,
  `
  -- Where an entry of the log is not the one before its operation's number: numbers of another directory have gaps.
  CREATE TABLE tree_entry (
    place INTEGER PRIMARY KEY,
    seq INTEGER NOT NULL UNIQUE
  ) STRICT;
  CREATE TABLE evidence (
    id INTEGER PRIMARY KEY,
    did TEXT NOT NULL,
    seq INTEGER NOT NULL,
    json TEXT NOT NULL,
    reason TEXT NOT NULL,
    found_at INTEGER NOT NULL,
    UNIQUE (did, seq, json, reason)
  ) STRICT;
  `,
  `
  -- DIDs and CIDs in binary, and indexes that end with the number of the row without naming it: a third less to keep.
  DROP INDEX operation_by_did;
  DROP INDEX operation_by_time;
  ALTER TABLE operation RENAME TO operation_as_text;
  CREATE TABLE operation (
    seq INTEGER PRIMARY KEY,
    -- The 15 bytes that the DID is the base32 of.
    did BLOB NOT NULL CHECK (length(did) = 15),
    -- The digest of the CID: SHA-256 of the operation in DAG-CBOR.
    cid BLOB NOT NULL CHECK (length(cid) = 32),
    -- The operation as JSON, keys in DAG-CBOR order: its bytes, CID and signature can be had from it again.
    json TEXT NOT NULL,
    -- Place of the signing key among the rotation keys of the parent: what a fork is judged by.
    signer INTEGER NOT NULL,
    nullified INTEGER NOT NULL DEFAULT 0 CHECK (nullified IN (0, 1)),
    -- Milliseconds since the Unix epoch.
    created_at INTEGER NOT NULL
  ) STRICT;
  INSERT INTO operation SELECT seq, did_bytes(did), cid_digest(cid), json, signer, nullified, created_at
    FROM operation_as_text ORDER BY seq;
  DROP TABLE operation_as_text;
  CREATE INDEX operation_by_did ON operation (did);
  CREATE INDEX operation_by_time ON operation (created_at);
  `,
  `
  -- Notices that an operation may not stand, though it was taken once. They have numbers among those of operations.
  CREATE TABLE withdrawal (
    seq INTEGER PRIMARY KEY,
    did BLOB NOT NULL CHECK (length(did) = 15),
    -- Of the first operation that may not stand.
    cid BLOB NOT NULL CHECK (length(cid) = 32),
    reason TEXT NOT NULL,
    created_at INTEGER NOT NULL
  ) STRICT;
  CREATE INDEX withdrawal_by_did ON withdrawal (did);
  -- Operations that may not stand: apart, so that whoever asks for histories never meets them.
  CREATE TABLE set_aside (
    seq INTEGER PRIMARY KEY,
    did BLOB NOT NULL CHECK (length(did) = 15),
    cid BLOB NOT NULL CHECK (length(cid) = 32),
    json TEXT NOT NULL,
    nullified INTEGER NOT NULL CHECK (nullified IN (0, 1)),
    created_at INTEGER NOT NULL,
    rule TEXT NOT NULL,
    fault TEXT NOT NULL,
    -- Of the notice that withdrew it; none in an audit that has not come to it yet.
    notice INTEGER,
    -- Whether it has an entry in the transparency log here; one that a replica was told of has none.
    is_logged INTEGER NOT NULL CHECK (is_logged IN (0, 1))
  ) STRICT;
  CREATE INDEX set_aside_by_did ON set_aside (did);
  CREATE INDEX set_aside_by_notice ON set_aside (notice);
  `,
]

/** What migrations need that SQL has not. */
function addFunctions(db: DatabaseSync): void {
  const options = { deterministic: true, directOnly: true }
  db.function('did_bytes', options, (did) => didBytes(String(did)) ?? null)
  db.function('cid_digest', options, (cid) => parseCid(String(cid)).digest)
}

/**
 * Brings a database to the newest schema. `user_version` counts the migrations that have run.
 * @throws {Error} when the database was written by a newer version of this program.
 */
export function migrate(db: DatabaseSync): void {
  const { user_version: done } = db.prepare('PRAGMA user_version').get() as { user_version: number }
  if (done > MIGRATIONS.length)
    throw new Error(
      `the database has schema ${done}, this version knows ${MIGRATIONS.length}: run the version that wrote it, or a newer one`,
    )
  if (done < MIGRATIONS.length) addFunctions(db)
  for (const [i, sql] of MIGRATIONS.entries())
    if (i >= done) db.exec(`BEGIN IMMEDIATE; ${sql} PRAGMA user_version = ${i + 1}; COMMIT`)
}
