-- What comes along when the data directory of another PDS is taken over, and how far that has come.

-- NULL: signed in with the account's own password. Otherwise the app password that the session hangs on.
ALTER TABLE refresh_token ADD COLUMN app_password TEXT;

ALTER TABLE account ADD COLUMN invites_disabled INTEGER NOT NULL DEFAULT 0;

CREATE TABLE app_password (
  did TEXT NOT NULL,
  name TEXT NOT NULL,
  password_hash TEXT NOT NULL,
  privileged INTEGER NOT NULL,
  created_at INTEGER NOT NULL,
  PRIMARY KEY (did, name)
) STRICT, WITHOUT ROWID;

-- Codes that were sent by mail and not used yet.
CREATE TABLE email_token (
  purpose TEXT NOT NULL,
  did TEXT NOT NULL,
  token TEXT NOT NULL,                        -- upper case
  requested_at INTEGER NOT NULL,
  PRIMARY KEY (purpose, did),
  UNIQUE (purpose, token)
) STRICT, WITHOUT ROWID;

CREATE TABLE invite_code (
  code TEXT PRIMARY KEY,
  available_uses INTEGER NOT NULL,            -- in all, used ones included
  disabled INTEGER NOT NULL,
  for_account TEXT NOT NULL,                  -- a DID, or `admin`
  created_by TEXT NOT NULL,                   -- a DID, or `admin`
  created_at INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

CREATE INDEX invite_code_by_account ON invite_code (for_account);

CREATE TABLE invite_code_use (
  code TEXT NOT NULL,
  used_by TEXT NOT NULL,
  used_at INTEGER NOT NULL,
  PRIMARY KEY (code, used_by)
) STRICT, WITHOUT ROWID;

-- Private settings of apps, in the order in which they were put.
CREATE TABLE preference (
  did TEXT NOT NULL,
  position INTEGER NOT NULL,
  type TEXT NOT NULL,                         -- `$type`
  value TEXT NOT NULL,                        -- JSON
  PRIMARY KEY (did, position)
) STRICT, WITHOUT ROWID;

-- Signing keys that wait for an account to arrive.
CREATE TABLE reserved_key (
  name TEXT PRIMARY KEY,                      -- the DID that it is kept for, or the did:key of itself
  signing_key BLOB NOT NULL,                  -- K-256, 32 bytes
  reserved_at INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE record_takedown (
  repo INTEGER NOT NULL,
  path TEXT NOT NULL,
  ref TEXT NOT NULL,
  PRIMARY KEY (repo, path)
) STRICT, WITHOUT ROWID;

-- What came along and has no table of its own here: rows of the other PDS, whole.
CREATE TABLE adopted (
  name TEXT NOT NULL,                         -- its table there
  key TEXT NOT NULL,                          -- what names the row there
  did TEXT,                                   -- whom it is about, if that can be told
  value TEXT NOT NULL,                        -- JSON
  PRIMARY KEY (name, key)
) STRICT, WITHOUT ROWID;

CREATE INDEX adopted_by_did ON adopted (did);

-- One row for each account that was met. `repo` is given before anything is copied, so that what a crash left behind
-- can be found.
CREATE TABLE adoption (
  did TEXT PRIMARY KEY,
  repo INTEGER NOT NULL UNIQUE,
  state TEXT NOT NULL CHECK (state IN ('copying', 'adopted', 'refused')),
  reason TEXT,                                -- of a refusal
  head BLOB,                                  -- there, at that time
  rev TEXT,
  records INTEGER NOT NULL DEFAULT 0,
  blobs INTEGER NOT NULL DEFAULT 0,
  lost_blobs TEXT,                            -- JSON: CIDs whose bytes were not there, or were others
  must_announce INTEGER NOT NULL DEFAULT 0,   -- the stream said something else of it last: a #sync is due
  at INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
