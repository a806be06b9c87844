-- SPDX-License-Identifier: Apache-2.0
-- Projects that somebody removed: what there is much of (versions of suites, known cases) goes piece by piece, and then
-- the row.
SET ROLE verdict_api;

CREATE TABLE api.removed_project (
    project_id uuid PRIMARY KEY,
    removed_at timestamptz NOT NULL DEFAULT now()
);

RESET ROLE;
GRANT SELECT ON api.removed_project TO verdict_scheduler, verdict_collector, verdict_notifier;
