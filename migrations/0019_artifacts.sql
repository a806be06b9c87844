-- SPDX-License-Identifier: Apache-2.0
-- Files that tests left. A blob is kept once, however many artifacts it is; its row comes before its bytes.
SET ROLE verdict_api;

CREATE TABLE api.blob (
    name       bytea PRIMARY KEY CHECK (length(name) = 32), -- SHA-256 of what is in it
    bytes      bigint NOT NULL,
    used_at    timestamptz NOT NULL DEFAULT now(),          -- last claimed: not removed within an hour of it
    created_at timestamptz NOT NULL DEFAULT now()
);
CREATE INDEX blob_by_use ON api.blob (used_at);

CREATE TABLE api.artifact (
    id            uuid PRIMARY KEY,
    run_id        uuid NOT NULL,
    task_id       uuid NOT NULL,
    dispatch_id   uuid NOT NULL,
    attempt       integer NOT NULL,
    path          text NOT NULL,     -- relative to where the tests ran
    is_report     boolean NOT NULL,  -- one that results were read from
    blob          bytea NOT NULL REFERENCES api.blob,
    bytes         bigint NOT NULL,
    lines_covered bigint,            -- where it is a coverage report
    lines_total   bigint,
    created_at    timestamptz NOT NULL DEFAULT now(),
    UNIQUE (dispatch_id, path)
);
CREATE INDEX artifact_by_run ON api.artifact (run_id, id);
CREATE INDEX artifact_by_blob ON api.artifact (blob);

RESET ROLE;
