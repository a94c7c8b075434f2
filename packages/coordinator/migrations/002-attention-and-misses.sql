-- A release that publishes for too long waits for a person.
ALTER TABLE releases ADD COLUMN needs_attention INTEGER NOT NULL DEFAULT 0;

-- A poll that is under way is claimed, so that nobody asks beside it; misses are counted in a row.
ALTER TABLE polls ADD COLUMN claimed_until BIGINT;
ALTER TABLE polls ADD COLUMN misses INTEGER NOT NULL DEFAULT 0;
