CREATE TABLE actions (
  task_id text NOT NULL,
  release_id text NOT NULL,
  sequence bigint NOT NULL,
  action text NOT NULL,
  due_at bigint NOT NULL,
  deadline_at bigint NOT NULL,
  failures integer NOT NULL,
  ask_first integer NOT NULL,
  last_error text,
  claimed_by text,
  claimed_until bigint
);
CREATE INDEX actions_due ON public.actions USING btree (due_at);
CREATE UNIQUE INDEX actions_pkey ON public.actions USING btree (task_id);

CREATE TABLE audit (
  position bigint NOT NULL,
  at bigint NOT NULL,
  actor text NOT NULL,
  action text NOT NULL,
  subject text,
  detail text
);
CREATE INDEX audit_actor ON public.audit USING btree (actor, "position");
CREATE UNIQUE INDEX audit_pkey ON public.audit USING btree ("position");
CREATE INDEX audit_subject ON public.audit USING btree (subject, "position");

CREATE TABLE counters (
  name text NOT NULL,
  value bigint NOT NULL
);
CREATE UNIQUE INDEX counters_pkey ON public.counters USING btree (name);

CREATE TABLE events (
  position bigint NOT NULL,
  kf_id text NOT NULL,
  event_type text NOT NULL,
  message text NOT NULL,
  release_id text,
  task_service_id text,
  task_id text,
  created_at bigint NOT NULL,
  actor text
);
CREATE UNIQUE INDEX events_id ON public.events USING btree (kf_id);
CREATE UNIQUE INDEX events_pkey ON public.events USING btree ("position");
CREATE INDEX events_release ON public.events USING btree (release_id, "position");
CREATE INDEX events_service ON public.events USING btree (task_service_id, "position");
CREATE INDEX events_task ON public.events USING btree (task_id, "position");

CREATE TABLE identity (
  name text NOT NULL,
  value text NOT NULL
);
CREATE UNIQUE INDEX identity_pkey ON public.identity USING btree (name);

CREATE TABLE polls (
  task_id text NOT NULL,
  release_id text NOT NULL,
  due_at bigint NOT NULL,
  claimed_until bigint,
  misses integer DEFAULT 0 NOT NULL
);
CREATE INDEX polls_due ON public.polls USING btree (due_at);
CREATE UNIQUE INDEX polls_pkey ON public.polls USING btree (task_id);

CREATE TABLE processes (
  owner text NOT NULL,
  role text NOT NULL,
  pid integer NOT NULL,
  started_at bigint NOT NULL,
  expires_at bigint NOT NULL
);
CREATE UNIQUE INDEX processes_pkey ON public.processes USING btree (owner);

CREATE TABLE release_notes (
  kf_id text NOT NULL,
  revision bigint NOT NULL,
  position bigint NOT NULL,
  description text NOT NULL,
  author text NOT NULL,
  release_id text NOT NULL,
  study_id text,
  created_at bigint NOT NULL
);
CREATE INDEX release_notes_created ON public.release_notes USING btree (created_at, "position");
CREATE UNIQUE INDEX release_notes_pkey ON public.release_notes USING btree (kf_id);
CREATE INDEX release_notes_release ON public.release_notes USING btree (release_id);

CREATE TABLE release_studies (
  release_id text NOT NULL,
  study_id text NOT NULL,
  place integer NOT NULL
);
CREATE UNIQUE INDEX release_studies_pkey ON public.release_studies USING btree (release_id, study_id);
CREATE INDEX release_studies_study ON public.release_studies USING btree (study_id);

CREATE TABLE releases (
  kf_id text NOT NULL,
  revision bigint NOT NULL,
  position bigint NOT NULL,
  name text NOT NULL,
  description text NOT NULL,
  state text NOT NULL,
  version text NOT NULL,
  tags text NOT NULL,
  author text NOT NULL,
  is_major integer NOT NULL,
  created_at bigint NOT NULL,
  since bigint NOT NULL,
  due_at bigint,
  outcome text,
  reason text,
  stopped_from text,
  needs_attention integer DEFAULT 0 NOT NULL
);
CREATE INDEX releases_created ON public.releases USING btree (created_at, "position");
CREATE INDEX releases_due ON public.releases USING btree (due_at);
CREATE UNIQUE INDEX releases_pkey ON public.releases USING btree (kf_id);
CREATE UNIQUE INDEX releases_version ON public.releases USING btree (version);

CREATE TABLE schema_migrations (
  owner text NOT NULL,
  number integer NOT NULL,
  name text NOT NULL,
  checksum text NOT NULL,
  applied_at bigint NOT NULL
);
CREATE UNIQUE INDEX schema_migrations_pkey ON public.schema_migrations USING btree (owner, number);

CREATE TABLE studies (
  kf_id text NOT NULL,
  name text NOT NULL,
  visible integer NOT NULL,
  deleted integer NOT NULL,
  created_at text
);
CREATE UNIQUE INDEX studies_pkey ON public.studies USING btree (kf_id);

CREATE TABLE task_services (
  kf_id text NOT NULL,
  name text NOT NULL,
  description text NOT NULL,
  url text NOT NULL,
  author text NOT NULL,
  enabled integer NOT NULL,
  last_ok_status integer NOT NULL,
  created_at bigint NOT NULL,
  check_due_at bigint NOT NULL,
  accept_ms bigint,
  silence_ms bigint,
  total_ms bigint,
  version text
);
CREATE UNIQUE INDEX task_services_pkey ON public.task_services USING btree (kf_id);
CREATE UNIQUE INDEX task_services_url ON public.task_services USING btree (url);

CREATE TABLE tasks (
  kf_id text NOT NULL,
  release_id text NOT NULL,
  task_service_id text NOT NULL,
  place integer NOT NULL,
  state text NOT NULL,
  progress integer NOT NULL,
  message text,
  summary text,
  last_error text,
  needs_attention integer NOT NULL,
  cancel_pending integer NOT NULL,
  created_at bigint NOT NULL,
  since bigint NOT NULL,
  last_activity_at bigint NOT NULL,
  accept_ms bigint,
  silence_ms bigint,
  total_ms bigint,
  overdue text,
  attempt integer
);
CREATE INDEX tasks_created ON public.tasks USING btree (created_at);
CREATE UNIQUE INDEX tasks_pkey ON public.tasks USING btree (kf_id);
CREATE INDEX tasks_release ON public.tasks USING btree (release_id);
CREATE INDEX tasks_service ON public.tasks USING btree (task_service_id);

CREATE TABLE versions (
  name text NOT NULL,
  value text NOT NULL
);
CREATE UNIQUE INDEX versions_pkey ON public.versions USING btree (name);
