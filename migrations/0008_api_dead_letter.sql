-- SPDX-License-Identifier: Apache-2.0
-- A message of api-ingest's outbox that can never be sent is kept for people, as in the other schemas.
SET ROLE verdict_api;

CREATE TABLE api.dead_letter (
    id            uuid PRIMARY KEY,
    topic         text NOT NULL,
    partition     integer NOT NULL,
    "offset"      bigint NOT NULL,
    payload       bytea NOT NULL,
    payload_bytes bigint NOT NULL,
    error         text NOT NULL,
    at            timestamptz NOT NULL DEFAULT now()
);
CREATE INDEX dead_letter_by_time ON api.dead_letter (at);

RESET ROLE;
