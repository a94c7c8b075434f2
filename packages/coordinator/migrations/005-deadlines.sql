-- A service's own deadlines, in milliseconds; null: the settings count (RC-38).
ALTER TABLE task_services ADD COLUMN accept_ms BIGINT;
ALTER TABLE task_services ADD COLUMN silence_ms BIGINT;
ALTER TABLE task_services ADD COLUMN total_ms BIGINT;

-- As the service had them when the release began, and the one that has called for a person.
ALTER TABLE tasks ADD COLUMN accept_ms BIGINT;
ALTER TABLE tasks ADD COLUMN silence_ms BIGINT;
ALTER TABLE tasks ADD COLUMN total_ms BIGINT;
ALTER TABLE tasks ADD COLUMN overdue TEXT;
