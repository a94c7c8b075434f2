-- One row per task; `revision` grows with every change and guards every write.
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
);
-- Only what is due is in it: most tasks have nothing due, and every index costs each new task.
CREATE INDEX tasks_due ON tasks (due_at) WHERE due_at IS NOT NULL;
CREATE INDEX tasks_check_due ON tasks (check_due_at) WHERE check_due_at IS NOT NULL;
CREATE INDEX tasks_created ON tasks (created_at);

-- What happened to a task, in the order of `position`.
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

-- Results of durable steps; new code never gets the results of old code.
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

-- The outbox: at most one report per task, the newest. `sequence` tells a sender that it was overtaken.
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
);
CREATE INDEX reports_due ON reports (due_at);
