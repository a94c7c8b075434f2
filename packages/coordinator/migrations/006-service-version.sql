-- What the service last said of itself; null: nothing.
ALTER TABLE task_services ADD COLUMN version TEXT;
