-- SPDX-License-Identifier: Apache-2.0
-- A pipeline looks for the runs of its commit.
SET ROLE verdict_api;

CREATE INDEX run_by_commit ON api.run (project_id, commit_sha, id DESC) WHERE commit_sha IS NOT NULL;

RESET ROLE;
