-- The last good document of each did:web that was met, bounded: a domain has no history of its own, and nothing but a
-- memory tells that its keys became others. A row that is replaced gets a new number: the lowest was seen least recently.
CREATE TABLE did_web (
  id INTEGER PRIMARY KEY,
  did TEXT NOT NULL UNIQUE,
  seen_at INTEGER NOT NULL,
  document TEXT NOT NULL                      -- JSON
) STRICT;
