-- SPDX-License-Identifier: Apache-2.0
-- What a run repeats of its parent: {"of", "cases", "whole_suite", "why"}; and a parent's runs.
SET ROLE verdict_api;

ALTER TABLE api.run ADD COLUMN rerun jsonb;
CREATE INDEX run_by_parent ON api.run (parent_run, id DESC) WHERE parent_run IS NOT NULL;

RESET ROLE;
