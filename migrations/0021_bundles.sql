-- SPDX-License-Identifier: Apache-2.0
-- Files that were sent to be run on. A project has those that were sent to it, whoever else has the same; the
-- row goes when no run has named it for an hour, and its blob when nothing else names that.
SET ROLE verdict_api;

CREATE TABLE api.bundle (
    project_id uuid NOT NULL,
    blob       bytea NOT NULL REFERENCES api.blob,
    bytes      bigint NOT NULL,
    used_at    timestamptz NOT NULL DEFAULT now(), -- last sent, asked for or triggered with
    created_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (project_id, blob)
);
CREATE INDEX bundle_by_blob ON api.bundle (blob);
CREATE INDEX bundle_by_use ON api.bundle (used_at);

ALTER TABLE api.run ADD COLUMN bundle bytea;
CREATE INDEX run_by_bundle ON api.run (project_id, bundle) WHERE bundle IS NOT NULL;

RESET ROLE;
