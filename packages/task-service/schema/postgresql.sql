CREATE TABLE counters (
  name text NOT NULL,
  value bigint NOT NULL
);
CREATE UNIQUE INDEX counters_pkey ON public.counters USING btree (name);

CREATE TABLE events (
  position bigint NOT NULL,
  task_id text NOT NULL,
  at bigint NOT NULL,
  level text NOT NULL,
  type text NOT NULL,
  message text NOT NULL,
  data text
);
CREATE UNIQUE INDEX events_pkey ON public.events USING btree ("position");
CREATE INDEX events_task ON public.events USING btree (task_id, "position");

CREATE TABLE identity (
  name text NOT NULL,
  value text NOT NULL
);
CREATE UNIQUE INDEX identity_pkey ON public.identity USING btree (name);

CREATE TABLE processes (
  owner text NOT NULL,
  role text NOT NULL,
  pid integer NOT NULL,
  started_at bigint NOT NULL,
  expires_at bigint NOT NULL
);
CREATE UNIQUE INDEX processes_pkey ON public.processes USING btree (owner);

CREATE TABLE reports (
  task_id text NOT NULL,
  sequence bigint NOT NULL,
  state text,
  progress integer,
  message text,
  summary text,
  phase text NOT NULL,
  due_at bigint NOT NULL,
  failures integer NOT NULL,
  confirm_step integer NOT NULL,
  last_error text,
  created_at bigint NOT NULL,
  claimed_by text,
  claimed_until bigint,
  attempt integer,
  error text
);
CREATE INDEX reports_due ON public.reports USING btree (due_at);
CREATE UNIQUE INDEX reports_pkey ON public.reports USING btree (task_id);

CREATE TABLE schema_migrations (
  owner text NOT NULL,
  number integer NOT NULL,
  name text NOT NULL,
  checksum text NOT NULL,
  applied_at bigint NOT NULL
);
CREATE UNIQUE INDEX schema_migrations_pkey ON public.schema_migrations USING btree (owner, number);

CREATE TABLE steps (
  task_id text NOT NULL,
  version text NOT NULL,
  work text NOT NULL,
  name text NOT NULL,
  result text NOT NULL,
  attempt integer NOT NULL,
  at bigint NOT NULL
);
CREATE UNIQUE INDEX steps_pkey ON public.steps USING btree (task_id, version, work, name);

CREATE TABLE tasks (
  id text NOT NULL,
  revision bigint NOT NULL,
  release_id text NOT NULL,
  studies text,
  state text NOT NULL,
  tombstone integer NOT NULL,
  progress integer NOT NULL,
  best_progress integer NOT NULL,
  message text,
  summary text,
  staged text,
  work text,
  due_at bigint,
  held integer NOT NULL,
  attempt integer NOT NULL,
  lease_owner text,
  lease_work text,
  lease_expires_at bigint,
  failures integer NOT NULL,
  crashes integer NOT NULL,
  last_error text,
  since bigint NOT NULL,
  last_progress_at bigint NOT NULL,
  needs_attention integer NOT NULL,
  ended_from text,
  cancel_requested_at bigint,
  cancel_acknowledged_at bigint,
  cleanup text NOT NULL,
  cleanup_ended_at bigint,
  missing_since bigint,
  check_due_at bigint,
  initialized_version text,
  ran_version text,
  created_at bigint NOT NULL,
  updated_at bigint NOT NULL,
  work_attempt integer DEFAULT 0 NOT NULL
);
CREATE INDEX tasks_check_due ON public.tasks USING btree (check_due_at) WHERE (check_due_at IS NOT NULL);
CREATE INDEX tasks_created ON public.tasks USING btree (created_at);
CREATE INDEX tasks_due ON public.tasks USING btree (due_at) WHERE (due_at IS NOT NULL);
CREATE UNIQUE INDEX tasks_pkey ON public.tasks USING btree (id);
