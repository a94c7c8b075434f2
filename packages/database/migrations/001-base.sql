-- Who this database belongs to: a service must not open another's.
CREATE TABLE identity (
  name TEXT NOT NULL PRIMARY KEY,
  value TEXT NOT NULL
);

-- Positions of events. A counter updated in the same commit, not a generated id: generated ids become visible
-- out of order, and a reader that resumes after the highest one would lose a row.
CREATE TABLE counters (
  name TEXT NOT NULL PRIMARY KEY,
  value BIGINT NOT NULL
);

INSERT INTO counters (name, value) VALUES ('events', 0);

-- The processes that use this database now.
CREATE TABLE processes (
  owner TEXT NOT NULL PRIMARY KEY,
  role TEXT NOT NULL,
  pid INTEGER NOT NULL,
  started_at BIGINT NOT NULL,
  expires_at BIGINT NOT NULL
);
