-- SPDX-License-Identifier: Apache-2.0
-- A note of a removed run outlives what was of it: a worker that was away may still come with results.
SET ROLE verdict_api;

ALTER TABLE api.removed_run ADD COLUMN emptied_at timestamptz; -- nothing of the run was left then
CREATE INDEX removed_run_to_empty ON api.removed_run (run_id) WHERE emptied_at IS NULL;
CREATE INDEX removed_run_by_age ON api.removed_run (emptied_at);

RESET ROLE;
