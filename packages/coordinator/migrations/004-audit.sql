-- Who caused an event; null: the coordinator itself, or an event from before this was kept.
ALTER TABLE events ADD COLUMN actor TEXT;

-- Who changed what by a request, in the order of `position`.
CREATE TABLE audit (
  position BIGINT NOT NULL PRIMARY KEY,
  at BIGINT NOT NULL,
  actor TEXT NOT NULL,
  action TEXT NOT NULL,
  subject TEXT,
  detail TEXT
);
CREATE INDEX audit_subject ON audit (subject, position);
CREATE INDEX audit_actor ON audit (actor, position);
INSERT INTO counters (name, value) VALUES ('audit', 0);
