-- SPDX-License-Identifier: Apache-2.0
-- What users say: projects, tokens, suites, runs as they were asked for. Written by api-ingest alone
-- (and by verdict-admin on its behalf). No foreign keys to hot rows: each would cost a lock per trigger.
SET ROLE verdict_api;

-- Facts of the installation that must never change behind a running service: the numbers of
-- partitions and lanes, written when the topics are made.
CREATE TABLE api.installation (
    name  text PRIMARY KEY,
    value bigint NOT NULL
);

CREATE TABLE api.principal (
    id         uuid PRIMARY KEY,
    kind       text NOT NULL CHECK (kind IN ('token', 'person', 'worker', 'system')),
    name       text NOT NULL,
    created_at timestamptz NOT NULL DEFAULT now()
);
INSERT INTO api.principal (id, kind, name) VALUES ('00000000-0000-7000-8000-000000000001', 'system', 'verdict');

CREATE TABLE api.project (
    id         uuid PRIMARY KEY,
    number     bigint GENERATED ALWAYS AS IDENTITY UNIQUE,
    slug       text NOT NULL UNIQUE,
    title      text NOT NULL,
    created_by uuid NOT NULL,
    created_at timestamptz NOT NULL DEFAULT now()
);

CREATE TABLE api.environment (
    id         uuid PRIMARY KEY,
    number     bigint GENERATED ALWAYS AS IDENTITY UNIQUE,
    project_id uuid NOT NULL REFERENCES api.project,
    slug       text NOT NULL,
    title      text NOT NULL,
    url        text,
    position   integer NOT NULL DEFAULT 0,
    created_by uuid NOT NULL,
    created_at timestamptz NOT NULL DEFAULT now(),
    UNIQUE (project_id, slug)
);

-- A token is its own principal (same id). Only SHA-256 of the secret is kept.
CREATE TABLE api.token (
    id           uuid PRIMARY KEY,
    project_id   uuid, -- NULL: every project
    name         text NOT NULL,
    secret_hash  bytea NOT NULL UNIQUE CHECK (length(secret_hash) = 32),
    scopes       text[] NOT NULL,
    expires_at   timestamptz,
    revoked_at   timestamptz,
    last_used_at timestamptz,
    created_by   uuid NOT NULL,
    created_at   timestamptz NOT NULL DEFAULT now()
);

CREATE TABLE api.pool (
    id              uuid PRIMARY KEY,
    slug            text NOT NULL UNIQUE,
    title           text NOT NULL,
    all_projects    boolean NOT NULL DEFAULT false,
    join_token_hash bytea, -- SHA-256 of the join token; NULL: nobody can enrol
    created_by      uuid NOT NULL,
    created_at      timestamptz NOT NULL DEFAULT now()
);
INSERT INTO api.pool (id, slug, title, all_projects, created_by)
VALUES ('00000000-0000-7000-8000-000000000002', 'default', 'Default pool', true,
        '00000000-0000-7000-8000-000000000001');

CREATE TABLE api.pool_project (
    pool_id    uuid NOT NULL REFERENCES api.pool,
    project_id uuid NOT NULL REFERENCES api.project,
    created_by uuid NOT NULL,
    created_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (pool_id, project_id)
);

-- A worker that may speak for itself: its messages carry a MAC by this key. Enrolling again under the
-- same name gives a new key and keeps the id (the spool of the earlier process belongs to it).
CREATE TABLE api.enrolment (
    worker_id  uuid PRIMARY KEY,
    pool_id    uuid NOT NULL REFERENCES api.pool,
    name       text NOT NULL,
    key        bytea NOT NULL CHECK (length(key) = 32),
    lane       integer NOT NULL,
    created_at timestamptz NOT NULL DEFAULT now(),
    revoked_at timestamptz,
    UNIQUE (pool_id, name)
);

CREATE TABLE api.suite (
    id                 uuid PRIMARY KEY,
    number             bigint GENERATED ALWAYS AS IDENTITY UNIQUE,
    project_id         uuid NOT NULL REFERENCES api.project,
    slug               text NOT NULL,
    title              text NOT NULL,
    current_version_id uuid NOT NULL,
    created_by         uuid NOT NULL,
    created_at         timestamptz NOT NULL DEFAULT now(),
    updated_at         timestamptz NOT NULL DEFAULT now(),
    UNIQUE (project_id, slug)
);

-- Immutable and content-addressed: a run refers to one, however often the suite is edited.
CREATE TABLE api.suite_version (
    id         uuid PRIMARY KEY,
    project_id uuid NOT NULL,
    suite_slug text NOT NULL,
    digest     bytea NOT NULL CHECK (length(digest) = 32),
    spec       jsonb NOT NULL, -- without the cases: those are rows
    cases      integer NOT NULL DEFAULT 0,
    created_at timestamptz NOT NULL DEFAULT now(),
    UNIQUE (project_id, suite_slug, digest)
);

CREATE TABLE api.declared_case (
    suite_version_id uuid NOT NULL REFERENCES api.suite_version,
    ordinal          integer NOT NULL,
    case_key         bytea NOT NULL CHECK (length(case_key) = 16),
    selector         text NOT NULL, -- what the framework is given to run this case
    file             text NOT NULL DEFAULT '',
    class            text NOT NULL DEFAULT '',
    name             text NOT NULL,
    parameters       text NOT NULL DEFAULT '',
    PRIMARY KEY (suite_version_id, ordinal),
    UNIQUE (suite_version_id, case_key)
);

CREATE TABLE api.template (
    id             uuid PRIMARY KEY,
    number         bigint GENERATED ALWAYS AS IDENTITY UNIQUE,
    project_id     uuid NOT NULL REFERENCES api.project,
    slug           text NOT NULL,
    title          text NOT NULL,
    suite_id       uuid NOT NULL REFERENCES api.suite,
    environment_id uuid REFERENCES api.environment,
    pool_id        uuid NOT NULL REFERENCES api.pool,
    defaults       jsonb NOT NULL DEFAULT '{}', -- requirements, policy, parameters, priority, title
    created_by     uuid NOT NULL,
    created_at     timestamptz NOT NULL DEFAULT now(),
    updated_at     timestamptz NOT NULL DEFAULT now(),
    UNIQUE (project_id, slug)
);

-- What was asked, immutable. What becomes of it stands in scheduling.run_state.
CREATE TABLE api.run (
    id               uuid PRIMARY KEY,
    number           bigint GENERATED ALWAYS AS IDENTITY UNIQUE,
    project_id       uuid NOT NULL,
    pool_id          uuid NOT NULL,
    suite_id         uuid,
    suite_version_id uuid NOT NULL,
    suite_slug       text NOT NULL,
    environment_id   uuid,
    template_id      uuid,
    title            text NOT NULL,
    build_version    text,
    branch           text,
    commit_sha       text,
    priority         smallint NOT NULL CHECK (priority BETWEEN 0 AND 100),
    requirements     jsonb NOT NULL DEFAULT '[]', -- predicates, the suite's and the template's together
    parameters       jsonb NOT NULL DEFAULT '{}',
    trigger          jsonb NOT NULL DEFAULT '{}', -- provider, build_url, pull_request, actor …
    policy           jsonb NOT NULL,              -- complete: every default filled in
    traceparent      text,
    parent_run       uuid,
    relation         text CHECK (relation IN ('rerun', 'retry', 'promotion')),
    created_by       uuid NOT NULL,
    created_at       timestamptz NOT NULL DEFAULT now(),
    CHECK ((parent_run IS NULL) = (relation IS NULL))
);
CREATE INDEX run_by_project ON api.run (project_id, id DESC);
CREATE INDEX run_by_branch ON api.run (project_id, suite_slug, branch, id DESC) WHERE branch IS NOT NULL;
CREATE INDEX run_by_pool ON api.run (pool_id, id);

-- Wishes about a run; the scheduler decides what comes of them.
CREATE TABLE api.run_request (
    id         uuid PRIMARY KEY,
    run_id     uuid NOT NULL,
    kind       text NOT NULL CHECK (kind IN ('cancel', 'supersede')),
    created_by uuid NOT NULL,
    created_at timestamptz NOT NULL DEFAULT now()
);
CREATE INDEX run_request_by_run ON api.run_request (run_id);

CREATE TABLE api.idempotency_key (
    project_id uuid NOT NULL,
    key        text NOT NULL,
    body_hash  bytea NOT NULL CHECK (length(body_hash) = 32),
    run_id     uuid NOT NULL,
    created_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (project_id, key)
);
CREATE INDEX idempotency_key_by_age ON api.idempotency_key (created_at);

CREATE TABLE api.webhook_endpoint (
    id            uuid PRIMARY KEY,
    project_id    uuid NOT NULL REFERENCES api.project,
    url           text NOT NULL,
    description   text NOT NULL DEFAULT '',
    events        text[] NOT NULL, -- 'run.finished', 'run.*', '*'
    secret_sealed bytea NOT NULL,  -- crypto_secretbox by the key file: nonce, then box
    enabled       boolean NOT NULL DEFAULT true,
    created_by    uuid NOT NULL,
    created_at    timestamptz NOT NULL DEFAULT now(),
    updated_at    timestamptz NOT NULL DEFAULT now()
);
CREATE INDEX webhook_endpoint_by_project ON api.webhook_endpoint (project_id);

CREATE TABLE api.delivery_request (
    id          uuid PRIMARY KEY,
    kind        text NOT NULL CHECK (kind IN ('test', 'redeliver')),
    endpoint_id uuid NOT NULL,
    event_id    uuid, -- redeliver: which
    created_by  uuid NOT NULL,
    created_at  timestamptz NOT NULL DEFAULT now(),
    CHECK ((kind = 'redeliver') = (event_id IS NOT NULL))
);

CREATE TABLE api.audit (
    id           uuid PRIMARY KEY,
    at           timestamptz NOT NULL DEFAULT now(),
    principal_id uuid NOT NULL,
    project_id   uuid,
    action       text NOT NULL, -- 'token.create', 'run.cancel' …
    object_id    uuid,
    detail       jsonb NOT NULL DEFAULT '{}'
);
CREATE INDEX audit_by_project ON api.audit (project_id, id DESC);

CREATE TABLE api.outbox (
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
CREATE INDEX outbox_by_sweep ON api.outbox (next_sweep_at);

RESET ROLE;
GRANT SELECT ON ALL TABLES IN SCHEMA api TO verdict_scheduler, verdict_collector, verdict_notifier;
REVOKE SELECT ON api.token, api.outbox, api.audit FROM verdict_scheduler, verdict_collector, verdict_notifier;
