-- `attempt` counts claims of all of a task's work; this one counts those of the present work, for people.
ALTER TABLE tasks ADD COLUMN work_attempt INTEGER NOT NULL DEFAULT 0;
ALTER TABLE reports ADD COLUMN attempt INTEGER;
ALTER TABLE reports ADD COLUMN error TEXT;
