-- SPDX-License-Identifier: Apache-2.0
-- A run that cannot be worked on through a fault of ours is ended, with a reason of its own.
SET ROLE verdict_scheduler;

ALTER TABLE scheduling.run_state
    DROP CONSTRAINT run_state_reason_check,
    ADD CONSTRAINT run_state_reason_check
    CHECK (reason IN ('cases_failed', 'cases_errored', 'cases_blocked', 'cases_not_run',
                      'exit_contradicts_report', 'no_report', 'report_truncated', 'no_tests',
                      'task_timeout', 'no_capable_worker', 'queue_timeout', 'source_failed',
                      'exec_failed', 'limit_exceeded', 'results_lost', 'worker_lost',
                      'cancelled', 'superseded', 'run_timeout', 'internal_error'));

RESET ROLE;
