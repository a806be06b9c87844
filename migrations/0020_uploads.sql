-- SPDX-License-Identifier: Apache-2.0
-- Results of tests that ran elsewhere. A row is one file that api-ingest has read to its end; the scheduler makes
-- the task of the same id, and what it is streamed by is signed by a key like a worker's.
SET ROLE verdict_api;

CREATE TABLE api.uploader (
    worker_id uuid PRIMARY KEY,
    key       bytea NOT NULL CHECK (length(key) = 32),
    is_one    boolean NOT NULL DEFAULT true UNIQUE CHECK (is_one)
);

CREATE TABLE api.upload (
    id         uuid PRIMARY KEY,  -- and of its task
    run_id     uuid NOT NULL,
    worker_id  uuid NOT NULL,     -- the uploader
    digest     bytea NOT NULL CHECK (length(digest) = 32), -- SHA-256 of the file
    format     text NOT NULL,
    bytes      bigint NOT NULL,
    cases      bigint NOT NULL,
    created_by uuid NOT NULL,
    created_at timestamptz NOT NULL DEFAULT now(),
    UNIQUE (run_id, digest)
);

ALTER TABLE api.run_request DROP CONSTRAINT run_request_kind_check;
ALTER TABLE api.run_request ADD CONSTRAINT run_request_kind_check
    CHECK (kind IN ('cancel', 'supersede', 'complete'));

RESET ROLE;
GRANT SELECT ON api.upload, api.uploader TO verdict_scheduler, verdict_collector;
