-- Notes on releases. `study_id` is a study of the release as long as `release_studies` has it; who reads joins both.
CREATE TABLE release_notes (
  kf_id TEXT NOT NULL PRIMARY KEY,
  revision BIGINT NOT NULL,
  position BIGINT NOT NULL,
  description TEXT NOT NULL,
  author TEXT NOT NULL,
  release_id TEXT NOT NULL,
  study_id TEXT,
  created_at BIGINT NOT NULL
);
CREATE INDEX release_notes_created ON release_notes (created_at, position);
CREATE INDEX release_notes_release ON release_notes (release_id);
INSERT INTO counters (name, value) VALUES ('release_notes', 0);
