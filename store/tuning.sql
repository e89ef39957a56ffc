-- Migration 3: what a training run came to.

ALTER TABLE runs ADD COLUMN metrics JSON;   -- scores and where the model lies; NULL for runs that train nothing
