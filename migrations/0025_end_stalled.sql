-- SPDX-License-Identifier: Apache-2.0
-- Whoever waits for a lock asks this, on a second connection, who holds it: sessions of services that have
-- waited for their own client, in the middle of a pipeline, for longer than a transaction may be idle are
-- ended. No time-out of the server does that before Postgres 17 (transaction_timeout).
-- One service's sessions may stand in another one's way, and only a member of a role may end its sessions:
-- so this runs with the rights of the role that migrates, and looks at the services' own sessions alone.
-- Whoever restores a backup under such a role (COPY) waits for his client as a matter of course.
CREATE FUNCTION public.verdict_end_stalled(waiter integer, stalled_ms bigint)
RETURNS TABLE (client text, server_pid integer)
LANGUAGE sql VOLATILE SECURITY DEFINER SET search_path = pg_catalog
AS $$
    WITH stalled AS MATERIALIZED (
        SELECT a.application_name, a.pid
        FROM pg_stat_activity a
        WHERE a.pid = ANY (pg_blocking_pids(waiter))
          AND a.datname = current_database()
          AND a.usename IN (session_user, 'verdict_api', 'verdict_scheduler', 'verdict_collector',
                            'verdict_notifier')
          AND a.state = 'active'
          AND a.wait_event_type = 'Client'
          AND a.wait_event IN ('ClientRead', 'ClientWrite')
          AND a.state_change < clock_timestamp() - stalled_ms * interval '1 ms'
          AND NOT EXISTS (SELECT FROM pg_stat_progress_copy c WHERE c.pid = a.pid)
    )
    SELECT s.application_name, s.pid FROM stalled s WHERE pg_terminate_backend(s.pid)
$$;

REVOKE ALL ON FUNCTION public.verdict_end_stalled(integer, bigint) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION public.verdict_end_stalled(integer, bigint)
    TO verdict_api, verdict_scheduler, verdict_collector, verdict_notifier;
