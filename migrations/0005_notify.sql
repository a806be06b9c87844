-- SPDX-License-Identifier: Apache-2.0
-- What was told to whom. Written by the notifier alone.
SET ROLE verdict_notifier;

CREATE TABLE notify.inbox_offset (
    "group"          text NOT NULL,
    topic            text NOT NULL,
    partition        integer NOT NULL,
    next_offset      bigint NOT NULL,
    last_record_hash bytea,
    epoch            bigint NOT NULL,
    owner            text NOT NULL DEFAULT '',
    taken_at         timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY ("group", topic, partition)
);

CREATE TABLE notify.outbox (
    id            uuid PRIMARY KEY,
    topic         text NOT NULL,
    partition     integer NOT NULL,
    key           text NOT NULL,
    payload       text NOT NULL,
    traceparent   text,
    created_at    timestamptz NOT NULL DEFAULT now(),
    sweeps        integer NOT NULL DEFAULT 0,
    next_sweep_at timestamptz NOT NULL DEFAULT now() + interval '5 seconds'
);
CREATE INDEX outbox_by_sweep ON notify.outbox (next_sweep_at);

CREATE TABLE notify.dead_letter (
    id            uuid PRIMARY KEY,
    topic         text NOT NULL,
    partition     integer NOT NULL,
    "offset"      bigint NOT NULL,
    payload       bytea NOT NULL,
    payload_bytes bigint NOT NULL,
    error         text NOT NULL,
    at            timestamptz NOT NULL DEFAULT now()
);
CREATE INDEX dead_letter_by_time ON notify.dead_letter (at);

-- Raised by the notifier's resync: offsets of a topic made again start from nothing.
CREATE TABLE notify.generation (
    partition  integer PRIMARY KEY,
    generation bigint NOT NULL
);

-- The event log. (generation, offset) is the pull cursor and the SSE id: one project is in one
-- partition of the topic, with one writer, so commit order is offset order and a cursor never skips.
CREATE TABLE notify.event (
    id          uuid PRIMARY KEY,
    project_id  uuid NOT NULL,
    run_id      uuid,
    type        text NOT NULL,
    run_version bigint,
    generation  bigint NOT NULL,
    "offset"    bigint NOT NULL,
    at          timestamptz NOT NULL,
    data        jsonb NOT NULL,
    recorded_at timestamptz NOT NULL DEFAULT now()
);
CREATE INDEX event_by_project ON notify.event (project_id, generation, "offset");
CREATE INDEX event_by_run ON notify.event (run_id, generation, "offset") WHERE run_id IS NOT NULL;

CREATE TABLE notify.endpoint_state (
    endpoint_id     uuid PRIMARY KEY,
    disabled_at     timestamptz, -- by us: it answered 410
    disabled_reason text,
    last_success_at timestamptz,
    last_failure_at timestamptz,
    failures        integer NOT NULL DEFAULT 0 -- in a row
);

CREATE TABLE notify.delivery (
    id              uuid PRIMARY KEY,
    event_id        uuid NOT NULL,
    endpoint_id     uuid NOT NULL,
    project_id      uuid NOT NULL,
    request_id      uuid, -- the delivery_request of a test or a redelivery
    event_type      text NOT NULL,
    state           text NOT NULL CHECK (state IN ('pending', 'delivered', 'exhausted', 'disabled')),
    attempts        integer NOT NULL DEFAULT 0,
    next_attempt_at timestamptz,
    created_at      timestamptz NOT NULL DEFAULT now(),
    finished_at     timestamptz,
    UNIQUE NULLS NOT DISTINCT (event_id, endpoint_id, request_id),
    CHECK ((state = 'pending') = (next_attempt_at IS NOT NULL)),
    CHECK ((state = 'pending') = (finished_at IS NULL))
);
CREATE INDEX delivery_due ON notify.delivery (next_attempt_at) WHERE state = 'pending';
CREATE INDEX delivery_by_endpoint ON notify.delivery (endpoint_id, created_at DESC);

CREATE TABLE notify.delivery_attempt (
    delivery_id uuid NOT NULL,
    attempt     integer NOT NULL,
    at          timestamptz NOT NULL DEFAULT now(),
    duration_ms integer NOT NULL,
    status_code integer,       -- NULL: no answer
    error       text,          -- what stood in the way
    response    text,          -- the first KiB of the answer
    PRIMARY KEY (delivery_id, attempt)
);

RESET ROLE;
GRANT SELECT ON ALL TABLES IN SCHEMA notify TO verdict_api;
