-- SPDX-License-Identifier: Apache-2.0
-- One schema and one role per service. The role owns the tables; the others get SELECT on what they
-- need. Roles belong to the whole cluster and may exist already; they get LOGIN from the operator.
DO $$
DECLARE
    name text;
BEGIN
    FOREACH name IN ARRAY ARRAY['verdict_api', 'verdict_scheduler', 'verdict_collector', 'verdict_notifier'] LOOP
        BEGIN
            IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = name) THEN
                EXECUTE format('CREATE ROLE %I NOLOGIN', name);
            END IF;
        EXCEPTION WHEN duplicate_object OR unique_violation THEN
            NULL; -- another database of the cluster is migrated at the same moment
        END;
    END LOOP;
END $$;

CREATE SCHEMA api AUTHORIZATION verdict_api;
CREATE SCHEMA scheduling AUTHORIZATION verdict_scheduler;
CREATE SCHEMA results AUTHORIZATION verdict_collector;
CREATE SCHEMA notify AUTHORIZATION verdict_notifier;

GRANT USAGE ON SCHEMA api TO verdict_scheduler, verdict_collector, verdict_notifier;
GRANT USAGE ON SCHEMA scheduling TO verdict_api, verdict_collector, verdict_notifier;
GRANT USAGE ON SCHEMA results TO verdict_api, verdict_scheduler, verdict_notifier;
GRANT USAGE ON SCHEMA notify TO verdict_api;
