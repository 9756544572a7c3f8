-- Imports that go on where they broke off when the same repository is sent again: below the number lie the first `nodes`
-- and the first `records` of its tree, in the order of the tree. A row goes, and with it what lies below its number, when
-- another commit comes for the account, when the repository is no longer where the import began, and when its time is over.
CREATE TABLE unfinished_import (
  id INTEGER PRIMARY KEY,                     -- in repo_remnant
  did TEXT NOT NULL UNIQUE,
  file_head BLOB NOT NULL,                    -- the commit in the file
  base BLOB NOT NULL,                         -- head of the repository that it is to replace
  rev TEXT NOT NULL,                          -- no row is of a later revision
  nodes INTEGER NOT NULL DEFAULT 0,
  records INTEGER NOT NULL DEFAULT 0,
  bytes INTEGER NOT NULL DEFAULT 0,           -- of both
  begun_at INTEGER NOT NULL                   -- the last attempt
) STRICT;
