-- SPDX-License-Identifier: Apache-2.0
-- What is kept apart is removed by its age alone.
SET ROLE verdict_collector;

CREATE INDEX late_result_by_time ON results.late_result (recorded_at);
CREATE INDEX stale_result_by_time ON results.stale_result (recorded_at);

RESET ROLE;
