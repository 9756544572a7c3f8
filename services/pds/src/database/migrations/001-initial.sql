-- One file holds everything that must be durable together: accounts, repositories and (made by the log itself) events.
-- CIDs are stored as their 36 bytes, times as milliseconds since the Unix epoch.

-- Facts of the installation that must outlive a change of its environment.
CREATE TABLE config (
  name TEXT PRIMARY KEY,
  value TEXT NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE account (
  did TEXT PRIMARY KEY,
  handle TEXT NOT NULL UNIQUE,                -- lower case
  email TEXT UNIQUE,                          -- lower case
  email_confirmed_at INTEGER,
  password_hash TEXT NOT NULL,
  created_at INTEGER NOT NULL,
  deactivated_at INTEGER,
  delete_after INTEGER,
  takedown_ref TEXT
) STRICT, WITHOUT ROWID;

-- `id` stands for the DID in every other table: four bytes where the DID would cost thirty-two in each row.
-- The newest signed commit lies in the row itself: each write replaces it, and nobody needs an older one.
CREATE TABLE repo (
  id INTEGER PRIMARY KEY,
  did TEXT NOT NULL UNIQUE,
  head BLOB NOT NULL,
  rev TEXT NOT NULL,
  data BLOB NOT NULL,
  commit_bytes BLOB NOT NULL,
  signing_key BLOB NOT NULL,                  -- K-256, 32 bytes
  status TEXT CHECK (status IN ('deactivated', 'takendown', 'suspended'))  -- NULL: active. The only place that says so
) STRICT;

-- Nodes of the current tree only. `rev` is the revision that added the node, which answers getRepo's `since`.
-- In order of insertion: a write brings a handful of nodes with random CIDs, most of which live until the next one.
-- Side by side they cost a page or two of write-ahead log where clustering by CID costs a page each.
CREATE TABLE node (
  id INTEGER PRIMARY KEY,
  repo INTEGER NOT NULL,
  cid BLOB NOT NULL,
  rev TEXT NOT NULL,
  bytes BLOB NOT NULL
) STRICT;

CREATE UNIQUE INDEX node_by_cid ON node (repo, cid);

-- Clustered by path (`collection/rkey`), which is the order of the tree: a page of listRecords and a whole export
-- are sequential reads.
CREATE TABLE record (
  repo INTEGER NOT NULL,
  path TEXT NOT NULL,
  cid BLOB NOT NULL,
  rev TEXT NOT NULL,
  bytes BLOB NOT NULL,
  PRIMARY KEY (repo, path)
) STRICT, WITHOUT ROWID;

CREATE INDEX record_by_cid ON record (repo, cid);

-- Bytes lie in the blob store. A blob is temporary until a record refers to it.
CREATE TABLE blob (
  repo INTEGER NOT NULL,
  cid BLOB NOT NULL,
  mime_type TEXT NOT NULL,
  size INTEGER NOT NULL,                      -- bytes
  created_at INTEGER NOT NULL,                -- upload, or the end of the last reference
  temporary INTEGER NOT NULL,
  PRIMARY KEY (repo, cid)
) STRICT, WITHOUT ROWID;

CREATE TABLE record_blob (
  repo INTEGER NOT NULL,
  path TEXT NOT NULL,
  cid BLOB NOT NULL,
  rev TEXT NOT NULL,
  PRIMARY KEY (repo, path, cid)
) STRICT, WITHOUT ROWID;

CREATE INDEX record_blob_by_cid ON record_blob (repo, cid);

-- Records that say one thing of one subject (a like, a follow), so that a second one replaces the first.
CREATE TABLE backlink (
  repo INTEGER NOT NULL,
  path TEXT NOT NULL,
  collection TEXT NOT NULL,
  subject TEXT NOT NULL,                      -- a DID or an AT-URI
  PRIMARY KEY (repo, path)
) STRICT, WITHOUT ROWID;

CREATE INDEX backlink_by_subject ON backlink (repo, collection, subject);

-- A refresh token that was used names its successor, and lives on only for the grace time.
CREATE TABLE refresh_token (
  id TEXT PRIMARY KEY,
  did TEXT NOT NULL,
  expires_at INTEGER NOT NULL,
  next_id TEXT
) STRICT, WITHOUT ROWID;

CREATE INDEX refresh_token_by_did ON refresh_token (did);
