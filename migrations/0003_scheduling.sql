-- SPDX-License-Identifier: Apache-2.0
-- What becomes of runs: states, tasks, dispatches, workers. Written by the scheduler alone; the
-- collector may lock task rows, and for that alone it may update task.collector_lock.
SET ROLE verdict_scheduler;

CREATE TABLE scheduling.inbox_offset (
    "group"          text NOT NULL,
    topic            text NOT NULL,
    partition        integer NOT NULL,
    next_offset      bigint NOT NULL,
    last_record_hash bytea,
    epoch            bigint NOT NULL,
    owner            text NOT NULL DEFAULT '', -- instance id of who raised the epoch last
    taken_at         timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY ("group", topic, partition)
);

CREATE TABLE scheduling.outbox (
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
CREATE INDEX outbox_by_sweep ON scheduling.outbox (next_sweep_at);

CREATE TABLE scheduling.dead_letter (
    id            uuid PRIMARY KEY,
    topic         text NOT NULL,
    partition     integer NOT NULL,
    "offset"      bigint NOT NULL,
    payload       bytea NOT NULL,
    payload_bytes bigint NOT NULL, -- before it was cut to 64 KiB
    error         text NOT NULL,
    at            timestamptz NOT NULL DEFAULT now()
);
CREATE INDEX dead_letter_by_time ON scheduling.dead_letter (at);

-- Who owns a scheduling partition, and that it is alive: answers "why is it waiting?" from anywhere.
CREATE TABLE scheduling.partition_owner (
    partition integer PRIMARY KEY,
    instance  text NOT NULL,
    epoch     bigint NOT NULL,
    taken_at  timestamptz NOT NULL,
    alive_at  timestamptz NOT NULL
);

CREATE TABLE scheduling.worker (
    id                uuid PRIMARY KEY,
    pool_id           uuid NOT NULL,
    name              text NOT NULL,
    labels            jsonb NOT NULL DEFAULT '{}',
    slots             integer NOT NULL,
    state             text NOT NULL CHECK (state IN ('online', 'draining', 'suspect', 'lost', 'offline')),
    incarnation       bigint NOT NULL,
    version           text NOT NULL DEFAULT '',
    first_seen_at     timestamptz NOT NULL DEFAULT now(),
    last_heartbeat_at timestamptz NOT NULL DEFAULT now(),
    updated_at        timestamptz NOT NULL DEFAULT now()
);
CREATE INDEX worker_by_pool ON scheduling.worker (pool_id);

CREATE TABLE scheduling.run_state (
    run_id         uuid PRIMARY KEY,
    project_id     uuid NOT NULL,
    pool_id        uuid NOT NULL,
    partition      integer NOT NULL,
    state          text NOT NULL
                   CHECK (state IN ('draft', 'queued', 'running', 'passed', 'failed', 'errored', 'cancelled', 'timed_out')),
    reason         text
                   CHECK (reason IN ('cases_failed', 'cases_errored', 'cases_blocked', 'cases_not_run',
                                     'exit_contradicts_report', 'no_report', 'report_truncated', 'no_tests',
                                     'task_timeout', 'no_capable_worker', 'queue_timeout', 'source_failed',
                                     'exec_failed', 'limit_exceeded', 'results_lost', 'worker_lost',
                                     'cancelled', 'superseded', 'run_timeout')),
    reason_detail  text,          -- which limit, which task, what git said
    actor          uuid,          -- the principal who cancelled
    version        bigint NOT NULL DEFAULT 1,
    planned_source text CHECK (planned_source IN ('declared', 'discovered', 'reported')),
    tasks          integer,       -- NULL until planned
    priority       smallint NOT NULL,
    wait_class     text,          -- why it is not further: see model/wait.h
    wait_text      text,
    wait_since     timestamptz,
    queue_deadline timestamptz,   -- the first task must have been started by then
    run_deadline   timestamptz NOT NULL,
    queued_at      timestamptz NOT NULL DEFAULT now(),
    started_at     timestamptz,
    finished_at    timestamptz,
    updated_at     timestamptz NOT NULL DEFAULT now(),
    CHECK ((state IN ('failed', 'errored', 'cancelled', 'timed_out')) = (reason IS NOT NULL)),
    CHECK ((state IN ('passed', 'failed', 'errored', 'cancelled', 'timed_out')) = (finished_at IS NOT NULL)),
    CHECK (state NOT IN ('draft', 'queued', 'running') OR wait_text IS NOT NULL)
);
CREATE INDEX run_state_open ON scheduling.run_state (partition, priority DESC, run_id)
    WHERE state IN ('draft', 'queued', 'running');
CREATE INDEX run_state_by_project ON scheduling.run_state (project_id, state, run_id DESC);

-- What the world was told of a run, in order; emitted again after a resync.
CREATE TABLE scheduling.run_event (
    run_id     uuid NOT NULL,
    version    bigint NOT NULL,
    id         uuid NOT NULL UNIQUE,
    project_id uuid NOT NULL,
    type       text NOT NULL,
    at         timestamptz NOT NULL DEFAULT now(),
    data       jsonb NOT NULL,
    PRIMARY KEY (run_id, version)
);

CREATE TABLE scheduling.task (
    id             uuid PRIMARY KEY,
    run_id         uuid NOT NULL,
    pool_id        uuid NOT NULL,
    partition      integer NOT NULL,
    ordinal        integer NOT NULL,
    kind           text NOT NULL CHECK (kind IN ('automated', 'discovery', 'manual', 'external', 'action')),
    variant        text NOT NULL DEFAULT '',
    state          text NOT NULL CHECK (state IN ('queued', 'dispatched', 'running', 'done')),
    outcome        text CHECK (outcome IN ('finished', 'lost', 'cancelled', 'timed_out', 'errored')),
    reason         text,           -- of the closed list of run reasons, when the outcome is not 'finished'
    reason_detail  text,
    attempt        integer NOT NULL DEFAULT 0,
    dispatch_id    uuid,           -- of the current attempt
    worker_id      uuid,
    cases          jsonb,          -- [{"key","selector"}] that this task was cut to; NULL: the whole suite
    expected_ms    bigint,
    losses_started integer NOT NULL DEFAULT 0,
    queued_at      timestamptz NOT NULL DEFAULT now(),
    dispatched_at  timestamptz,
    started_at     timestamptz,
    finished_at    timestamptz,
    deadline       timestamptz NOT NULL,
    collector_lock smallint,
    UNIQUE (run_id, ordinal),
    CHECK ((state = 'done') = (outcome IS NOT NULL)),
    CHECK (state IN ('queued', 'done') OR dispatch_id IS NOT NULL)
);
CREATE INDEX task_open ON scheduling.task (partition, run_id) WHERE state <> 'done';

CREATE TABLE scheduling.dispatch (
    id                uuid PRIMARY KEY,   -- 128 random bits: nobody can guess it
    task_id           uuid NOT NULL,
    run_id            uuid NOT NULL,
    attempt           integer NOT NULL,
    worker_id         uuid NOT NULL,
    results_partition integer NOT NULL,
    started           boolean NOT NULL DEFAULT false,
    ended             text CHECK (ended IN ('recorded', 'lost', 'superseded', 'cancelled', 'refused')),
    created_at        timestamptz NOT NULL DEFAULT now(),
    ended_at          timestamptz,
    UNIQUE (task_id, attempt)
);
CREATE INDEX dispatch_by_run ON scheduling.dispatch (run_id);
CREATE INDEX dispatch_open ON scheduling.dispatch (worker_id) WHERE ended IS NULL;

RESET ROLE;
GRANT SELECT ON ALL TABLES IN SCHEMA scheduling TO verdict_api, verdict_collector, verdict_notifier;
GRANT UPDATE (collector_lock) ON scheduling.task TO verdict_collector;
