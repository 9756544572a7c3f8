-- Not NULL: taken down, for this reason. The bytes stay where they are, as evidence, and nobody gets them; the row stays
-- too, so that they can neither be uploaded nor referred to again.
ALTER TABLE blob ADD COLUMN takedown_ref TEXT;

-- What the sweeper looks for, without reading every blob of the host.
CREATE INDEX blob_by_age ON blob (created_at) WHERE temporary = 1;

-- What an account has stored, kept by triggers so that it can never be wrong.
CREATE TABLE blob_usage (
  repo INTEGER PRIMARY KEY,
  count INTEGER NOT NULL,
  bytes INTEGER NOT NULL
) STRICT;

INSERT INTO blob_usage (repo, count, bytes) SELECT repo, count(*), sum(size) FROM blob GROUP BY repo;

-- Bytes whose row is gone, written down in the same transaction: a crash, or a store out of reach, leaves none behind.
CREATE TABLE blob_trash (
  did TEXT NOT NULL,
  cid BLOB NOT NULL,
  PRIMARY KEY (did, cid)
) STRICT, WITHOUT ROWID;

CREATE TRIGGER blob_inserted AFTER INSERT ON blob BEGIN
  INSERT INTO blob_usage (repo, count, bytes) VALUES (new.repo, 1, new.size)
    ON CONFLICT DO UPDATE SET count = count + 1, bytes = bytes + excluded.bytes;
END;

CREATE TRIGGER blob_resized AFTER UPDATE OF size ON blob BEGIN
  UPDATE blob_usage SET bytes = bytes + new.size - old.size WHERE repo = new.repo;
END;

CREATE TRIGGER blob_deleted AFTER DELETE ON blob BEGIN
  UPDATE blob_usage SET count = count - 1, bytes = bytes - old.size WHERE repo = old.repo;
  DELETE FROM blob_usage WHERE repo = old.repo AND count = 0;
  INSERT OR IGNORE INTO blob_trash (did, cid) SELECT did, old.cid FROM repo WHERE id = old.repo;
END;
