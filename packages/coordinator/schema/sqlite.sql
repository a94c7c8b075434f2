CREATE TABLE actions (
  task_id TEXT NOT NULL PRIMARY KEY,
  release_id TEXT NOT NULL,
  sequence BIGINT NOT NULL,
  action TEXT NOT NULL,
  due_at BIGINT NOT NULL,
  deadline_at BIGINT NOT NULL,
  failures INTEGER NOT NULL,
  ask_first INTEGER NOT NULL,
  last_error TEXT,
  claimed_by TEXT,
  claimed_until BIGINT
);

CREATE INDEX actions_due ON actions (due_at);

CREATE TABLE audit (
  position BIGINT NOT NULL PRIMARY KEY,
  at BIGINT NOT NULL,
  actor TEXT NOT NULL,
  action TEXT NOT NULL,
  subject TEXT,
  detail TEXT
);

CREATE INDEX audit_actor ON audit (actor, position);

CREATE INDEX audit_subject ON audit (subject, position);

CREATE TABLE counters (
  name TEXT NOT NULL PRIMARY KEY,
  value BIGINT NOT NULL
);

CREATE TABLE events (
  position BIGINT NOT NULL PRIMARY KEY,
  kf_id TEXT NOT NULL,
  event_type TEXT NOT NULL,
  message TEXT NOT NULL,
  release_id TEXT,
  task_service_id TEXT,
  task_id TEXT,
  created_at BIGINT NOT NULL
, actor TEXT);

CREATE UNIQUE INDEX events_id ON events (kf_id);

CREATE INDEX events_release ON events (release_id, position);

CREATE INDEX events_service ON events (task_service_id, position);

CREATE INDEX events_task ON events (task_id, position);

CREATE TABLE identity (
  name TEXT NOT NULL PRIMARY KEY,
  value TEXT NOT NULL
);

CREATE TABLE polls (
  task_id TEXT NOT NULL PRIMARY KEY,
  release_id TEXT NOT NULL,
  due_at BIGINT NOT NULL
, claimed_until BIGINT, misses INTEGER NOT NULL DEFAULT 0);

CREATE INDEX polls_due ON polls (due_at);

CREATE TABLE processes (
  owner TEXT NOT NULL PRIMARY KEY,
  role TEXT NOT NULL,
  pid INTEGER NOT NULL,
  started_at BIGINT NOT NULL,
  expires_at BIGINT NOT NULL
);

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

CREATE TABLE release_studies (
  release_id TEXT NOT NULL,
  study_id TEXT NOT NULL,
  place INTEGER NOT NULL,
  PRIMARY KEY (release_id, study_id)
);

CREATE INDEX release_studies_study ON release_studies (study_id);

CREATE TABLE releases (
  kf_id TEXT NOT NULL PRIMARY KEY,
  revision BIGINT NOT NULL,
  position BIGINT NOT NULL,
  name TEXT NOT NULL,
  description TEXT NOT NULL,
  state TEXT NOT NULL,
  version TEXT NOT NULL,
  tags TEXT NOT NULL,
  author TEXT NOT NULL,
  is_major INTEGER NOT NULL,
  created_at BIGINT NOT NULL,
  since BIGINT NOT NULL,
  due_at BIGINT,
  outcome TEXT,
  reason TEXT,
  stopped_from TEXT
, needs_attention INTEGER NOT NULL DEFAULT 0);

CREATE INDEX releases_created ON releases (created_at, position);

CREATE INDEX releases_due ON releases (due_at);

CREATE UNIQUE INDEX releases_version ON releases (version);

CREATE TABLE schema_migrations (
  owner TEXT NOT NULL,
  number INTEGER NOT NULL,
  name TEXT NOT NULL,
  checksum TEXT NOT NULL,
  applied_at BIGINT NOT NULL,
  PRIMARY KEY (owner, number)
);

CREATE TABLE studies (
  kf_id TEXT NOT NULL PRIMARY KEY,
  name TEXT NOT NULL,
  visible INTEGER NOT NULL,
  deleted INTEGER NOT NULL,
  created_at TEXT
);

CREATE TABLE task_services (
  kf_id TEXT NOT NULL PRIMARY KEY,
  name TEXT NOT NULL,
  description TEXT NOT NULL,
  url TEXT NOT NULL,
  author TEXT NOT NULL,
  enabled INTEGER NOT NULL,
  last_ok_status INTEGER NOT NULL,
  created_at BIGINT NOT NULL,
  check_due_at BIGINT NOT NULL
, accept_ms BIGINT, silence_ms BIGINT, total_ms BIGINT, version TEXT);

CREATE UNIQUE INDEX task_services_url ON task_services (url);

CREATE TABLE tasks (
  kf_id TEXT NOT NULL PRIMARY KEY,
  release_id TEXT NOT NULL,
  task_service_id TEXT NOT NULL,
  place INTEGER NOT NULL,
  state TEXT NOT NULL,
  progress INTEGER NOT NULL,
  message TEXT,
  summary TEXT,
  last_error TEXT,
  needs_attention INTEGER NOT NULL,
  cancel_pending INTEGER NOT NULL,
  created_at BIGINT NOT NULL,
  since BIGINT NOT NULL,
  last_activity_at BIGINT NOT NULL
, accept_ms BIGINT, silence_ms BIGINT, total_ms BIGINT, overdue TEXT, attempt INTEGER);

CREATE INDEX tasks_created ON tasks (created_at);

CREATE INDEX tasks_release ON tasks (release_id);

CREATE INDEX tasks_service ON tasks (task_service_id);

CREATE TABLE versions (
  name TEXT NOT NULL PRIMARY KEY,
  value TEXT NOT NULL
);
