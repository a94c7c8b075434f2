CREATE TABLE counters (
  name TEXT NOT NULL PRIMARY KEY,
  value BIGINT NOT NULL
);

CREATE TABLE events (
  position BIGINT NOT NULL PRIMARY KEY,
  task_id TEXT NOT NULL,
  at BIGINT NOT NULL,
  level TEXT NOT NULL,
  type TEXT NOT NULL,
  message TEXT NOT NULL,
  data TEXT
);

CREATE INDEX events_task ON events (task_id, position);

CREATE TABLE identity (
  name TEXT NOT NULL PRIMARY KEY,
  value TEXT NOT NULL
);

CREATE TABLE processes (
  owner TEXT NOT NULL PRIMARY KEY,
  role TEXT NOT NULL,
  pid INTEGER NOT NULL,
  started_at BIGINT NOT NULL,
  expires_at BIGINT NOT NULL
);

CREATE TABLE reports (
  task_id TEXT NOT NULL PRIMARY KEY,
  sequence BIGINT NOT NULL,
  state TEXT,
  progress INTEGER,
  message TEXT,
  summary TEXT,
  phase TEXT NOT NULL,
  due_at BIGINT NOT NULL,
  failures INTEGER NOT NULL,
  confirm_step INTEGER NOT NULL,
  last_error TEXT,
  created_at BIGINT NOT NULL,
  claimed_by TEXT,
  claimed_until BIGINT
, attempt INTEGER, error TEXT);

CREATE INDEX reports_due ON reports (due_at);

CREATE TABLE schema_migrations (
  owner TEXT NOT NULL,
  number INTEGER NOT NULL,
  name TEXT NOT NULL,
  checksum TEXT NOT NULL,
  applied_at BIGINT NOT NULL,
  PRIMARY KEY (owner, number)
);

CREATE TABLE steps (
  task_id TEXT NOT NULL,
  version TEXT NOT NULL,
  work TEXT NOT NULL,
  name TEXT NOT NULL,
  result TEXT NOT NULL,
  attempt INTEGER NOT NULL,
  at BIGINT NOT NULL,
  PRIMARY KEY (task_id, version, work, name)
);

CREATE TABLE tasks (
  id TEXT NOT NULL PRIMARY KEY,
  revision BIGINT NOT NULL,
  release_id TEXT NOT NULL,
  studies TEXT,
  state TEXT NOT NULL,
  tombstone INTEGER NOT NULL,
  progress INTEGER NOT NULL,
  best_progress INTEGER NOT NULL,
  message TEXT,
  summary TEXT,
  staged TEXT,
  work TEXT,
  due_at BIGINT,
  held INTEGER NOT NULL,
  attempt INTEGER NOT NULL,
  lease_owner TEXT,
  lease_work TEXT,
  lease_expires_at BIGINT,
  failures INTEGER NOT NULL,
  crashes INTEGER NOT NULL,
  last_error TEXT,
  since BIGINT NOT NULL,
  last_progress_at BIGINT NOT NULL,
  needs_attention INTEGER NOT NULL,
  ended_from TEXT,
  cancel_requested_at BIGINT,
  cancel_acknowledged_at BIGINT,
  cleanup TEXT NOT NULL,
  cleanup_ended_at BIGINT,
  missing_since BIGINT,
  check_due_at BIGINT,
  initialized_version TEXT,
  ran_version TEXT,
  created_at BIGINT NOT NULL,
  updated_at BIGINT NOT NULL
, work_attempt INTEGER NOT NULL DEFAULT 0);

CREATE INDEX tasks_check_due ON tasks (check_due_at) WHERE check_due_at IS NOT NULL;

CREATE INDEX tasks_created ON tasks (created_at);

CREATE INDEX tasks_due ON tasks (due_at) WHERE due_at IS NOT NULL;
