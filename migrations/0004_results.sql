-- SPDX-License-Identifier: Apache-2.0
-- What happened. Written by the result-collector alone, with one named exception: the scheduler
-- inserts run_totals when it plans and sets `closed` when it closes.
-- `result` and `log_chunk` are partitioned by range of run id: a UUIDv7 begins with its time, so a
-- month is one partition and the unique key can hold the partition column. The collector makes them.
SET ROLE verdict_collector;

CREATE TABLE results.inbox_offset (
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

CREATE TABLE results.outbox (
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
CREATE INDEX outbox_by_sweep ON results.outbox (next_sweep_at);

CREATE TABLE results.dead_letter (
    id            uuid PRIMARY KEY,
    topic         text NOT NULL,
    partition     integer NOT NULL,
    "offset"      bigint NOT NULL,
    payload       bytea NOT NULL,
    payload_bytes bigint NOT NULL,
    error         text NOT NULL,
    at            timestamptz NOT NULL DEFAULT now()
);
CREATE INDEX dead_letter_by_time ON results.dead_letter (at);

CREATE TABLE results.result (
    run_id      uuid NOT NULL,
    case_key    bytea NOT NULL CHECK (length(case_key) = 16),
    variant     text NOT NULL DEFAULT '',
    try         integer NOT NULL DEFAULT 1 CHECK (try >= 1),
    task_id     uuid NOT NULL,
    attempt     integer NOT NULL,
    dispatch_id uuid NOT NULL,
    seq         bigint NOT NULL, -- its number in the dispatch's stream
    status      text NOT NULL CHECK (status IN ('passed', 'failed', 'errored', 'skipped', 'blocked')),
    file        text NOT NULL DEFAULT '',
    class       text NOT NULL DEFAULT '',
    name        text NOT NULL,
    parameters  text NOT NULL DEFAULT '',
    duration_ms bigint NOT NULL DEFAULT 0,
    message     text,
    trace       text,
    started_at  timestamptz,
    recorded_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (run_id, case_key, variant, try)
) PARTITION BY RANGE (run_id);

-- Results that came with an attempt or dispatch that is not the task's: kept, never counted.
CREATE TABLE results.stale_result (
    dispatch_id uuid NOT NULL,
    seq         bigint NOT NULL,
    run_id      uuid NOT NULL,
    task_id     uuid NOT NULL,
    attempt     integer NOT NULL,
    case_key    bytea NOT NULL,
    status      text NOT NULL,
    name        text NOT NULL,
    recorded_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (dispatch_id, seq)
);

-- Results that came after the run's verdict was told: kept, never change it.
CREATE TABLE results.late_result (
    dispatch_id uuid NOT NULL,
    seq         bigint NOT NULL,
    run_id      uuid NOT NULL,
    task_id     uuid NOT NULL,
    attempt     integer NOT NULL,
    case_key    bytea NOT NULL,
    status      text NOT NULL,
    name        text NOT NULL,
    recorded_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (dispatch_id, seq)
);

CREATE TABLE results.run_totals (
    run_id      uuid PRIMARY KEY,
    project_id  uuid NOT NULL,
    planned     bigint, -- NULL until known; law 3 holds from then on, not_run is what is missing
    passed      bigint NOT NULL DEFAULT 0,
    failed      bigint NOT NULL DEFAULT 0,
    errored     bigint NOT NULL DEFAULT 0,
    skipped     bigint NOT NULL DEFAULT 0,
    blocked     bigint NOT NULL DEFAULT 0,
    duration_ms bigint NOT NULL DEFAULT 0, -- sum over deciding tries
    version     bigint NOT NULL DEFAULT 0, -- rises with every change
    closed      boolean NOT NULL DEFAULT false,
    CHECK (passed >= 0 AND failed >= 0 AND errored >= 0 AND skipped >= 0 AND blocked >= 0),
    CHECK (planned IS NULL OR passed + failed + errored + skipped + blocked <= planned)
);

-- One row per dispatch: how far its numbered stream has come, and how it ended.
CREATE TABLE results.task_record (
    dispatch_id   uuid PRIMARY KEY,
    run_id        uuid NOT NULL,
    task_id       uuid NOT NULL,
    attempt       integer NOT NULL,
    received      bigint NOT NULL DEFAULT 0, -- the stream is in the ledger up to this number
    reported      bigint NOT NULL DEFAULT 0, -- case results in it, absorbed ones too
    finished      boolean NOT NULL DEFAULT false,
    ending        text CHECK (ending IN ('exited', 'signalled', 'timed_out', 'cancelled', 'source_failed',
                                         'exec_failed', 'limit_exceeded', 'handed_back')),
    exit_status   integer,       -- when it exited
    signal        integer,       -- when a signal ended it
    ending_detail text,
    report        text CHECK (report IN ('complete', 'truncated', 'missing', 'none_expected')),
    passed        bigint NOT NULL DEFAULT 0, -- counts of this attempt's own report
    failed        bigint NOT NULL DEFAULT 0,
    errored       bigint NOT NULL DEFAULT 0,
    skipped       bigint NOT NULL DEFAULT 0,
    blocked       bigint NOT NULL DEFAULT 0,
    log_bytes     bigint NOT NULL DEFAULT 0,
    log_truncated boolean NOT NULL DEFAULT false,
    started_at    timestamptz,
    finished_at   timestamptz,
    recorded_at   timestamptz NOT NULL DEFAULT now()
);
CREATE INDEX task_record_by_task ON results.task_record (task_id);
CREATE INDEX task_record_by_run ON results.task_record (run_id);

CREATE TABLE results.log_chunk (
    run_id      uuid NOT NULL,
    task_id     uuid NOT NULL,
    dispatch_id uuid NOT NULL,
    attempt     integer NOT NULL,
    seq         bigint NOT NULL,
    stream      text NOT NULL CHECK (stream IN ('stdout', 'stderr', 'verdict')),
    at          timestamptz NOT NULL DEFAULT now(),
    text        text NOT NULL,
    PRIMARY KEY (run_id, dispatch_id, seq)
) PARTITION BY RANGE (run_id);

-- What is known of a case over all runs of its project: identity and how long it takes.
CREATE TABLE results.known_case (
    project_id       uuid NOT NULL,
    case_key         bytea NOT NULL CHECK (length(case_key) = 16),
    number           bigint GENERATED ALWAYS AS IDENTITY,
    file             text NOT NULL DEFAULT '',
    class            text NOT NULL DEFAULT '',
    name             text NOT NULL,
    parameters       text NOT NULL DEFAULT '',
    runs             bigint NOT NULL DEFAULT 0,
    duration_ms      double precision NOT NULL DEFAULT 0, -- moving average
    last_status      text NOT NULL,
    last_run_id      uuid NOT NULL,
    first_seen_at    timestamptz NOT NULL DEFAULT now(),
    last_seen_at     timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (project_id, case_key)
);

RESET ROLE;
GRANT SELECT ON ALL TABLES IN SCHEMA results TO verdict_api, verdict_scheduler, verdict_notifier;
GRANT INSERT ON results.run_totals TO verdict_scheduler;
GRANT UPDATE (closed, planned, version) ON results.run_totals TO verdict_scheduler;
