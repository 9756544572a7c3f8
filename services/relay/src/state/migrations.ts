import type { DatabaseSync } from 'node:sqlite'

/** Each runs once, in order, in a transaction of its own. Never change one that was released: append. */
const MIGRATIONS: readonly string[] = [
  `
  CREATE TABLE host (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    hostname TEXT NOT NULL UNIQUE,
    status TEXT NOT NULL CHECK (status IN ('active', 'idle', 'offline', 'banned')),
    cursor INTEGER NOT NULL DEFAULT 0,
    -- JSON: numbers above the cursor that are finished, too.
    finished TEXT NOT NULL DEFAULT '[]',
    account_count INTEGER NOT NULL DEFAULT 0,
    -- Milliseconds since the Unix epoch.
    added_at INTEGER NOT NULL
  ) STRICT;
  CREATE INDEX host_by_time ON host (added_at);

  CREATE TABLE account (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    did TEXT NOT NULL UNIQUE,
    host TEXT NOT NULL,
    upstream_active INTEGER NOT NULL CHECK (upstream_active IN (0, 1)),
    upstream_status TEXT,
    local_status TEXT NOT NULL CHECK (local_status IN ('active', 'takendown', 'suspended', 'throttled')),
    -- Gone for good at its host: not counted there.
    deleted INTEGER NOT NULL AS (upstream_active = 0 AND upstream_status IS 'deleted') STORED
  ) STRICT;

  CREATE TABLE repo (
    account INTEGER PRIMARY KEY REFERENCES account (id),
    rev TEXT NOT NULL,
    data BLOB NOT NULL,
    head BLOB NOT NULL
  ) STRICT;

  CREATE TRIGGER account_came AFTER INSERT ON account WHEN NEW.deleted = 0 BEGIN
    UPDATE host SET account_count = account_count + 1 WHERE hostname = NEW.host;
  END;
  CREATE TRIGGER account_moved AFTER UPDATE ON account
  WHEN OLD.host <> NEW.host OR OLD.deleted <> NEW.deleted BEGIN
    UPDATE host SET account_count = account_count - 1 WHERE hostname = OLD.host AND OLD.deleted = 0;
    UPDATE host SET account_count = account_count + 1 WHERE hostname = NEW.host AND NEW.deleted = 0;
  END;

  CREATE TABLE covered (
    id INTEGER PRIMARY KEY CHECK (id = 1),
    seq INTEGER NOT NULL
  ) STRICT;
  INSERT INTO covered (id, seq) VALUES (1, 0);
  `,
]

/**
 * Brings a database to the newest schema. `user_version` counts the migrations that have run.
 * @throws {Error} when the database was written by a newer version of this program.
 */
export function migrate(db: DatabaseSync): void {
  const { user_version: done } = db.prepare('PRAGMA user_version').get() as { user_version: number }
  if (done > MIGRATIONS.length)
    throw new Error(
      `the relay's database has schema ${done}, this version knows ${MIGRATIONS.length}: run the version that wrote it, or a newer one`,
    )
  for (const [i, sql] of MIGRATIONS.entries())
    if (i >= done) db.exec(`BEGIN IMMEDIATE; ${sql} PRAGMA user_version = ${i + 1}; COMMIT`)
}
