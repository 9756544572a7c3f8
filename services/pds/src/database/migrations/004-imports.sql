-- Numbers whose nodes, records and references belong to no repository: of an import that is under way, of one that
-- broke off, or of what an import has replaced. What hangs from them goes in small transactions.
CREATE TABLE repo_remnant (
  id INTEGER PRIMARY KEY
) STRICT;
