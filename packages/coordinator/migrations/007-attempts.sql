-- How often the service has begun the present phase of the task; null: it does not say.
ALTER TABLE tasks ADD COLUMN attempt INTEGER;
