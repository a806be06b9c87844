-- SPDX-License-Identifier: Apache-2.0
-- A suite's runs, newest first: what the history of a case, and badges, go through.
SET ROLE verdict_api;

CREATE INDEX run_by_suite ON api.run (project_id, suite_slug, id DESC);

RESET ROLE;
