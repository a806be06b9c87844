-- SPDX-License-Identifier: Apache-2.0
-- What is kept apart goes with its run when somebody removes that.
SET ROLE verdict_collector;

CREATE INDEX late_result_by_run ON results.late_result (run_id);
CREATE INDEX stale_result_by_run ON results.stale_result (run_id);

RESET ROLE;
