-- SPDX-License-Identifier: Apache-2.0
-- Runs that somebody removed: their row in api.run is gone, and the owners of the other tables remove what was of
-- them. A row goes when nothing of its run is left.
SET ROLE verdict_api;

CREATE TABLE api.removed_run (
    run_id     uuid PRIMARY KEY,
    removed_at timestamptz NOT NULL DEFAULT now()
);

RESET ROLE;
GRANT SELECT ON api.removed_run TO verdict_scheduler, verdict_collector, verdict_notifier;
