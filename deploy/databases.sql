-- Run once by a new PostgreSQL: each service has a database of its own.
CREATE DATABASE coordinator;
CREATE DATABASE task;
