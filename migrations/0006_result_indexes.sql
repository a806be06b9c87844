-- SPDX-License-Identifier: Apache-2.0
-- Which runs have second tries: only they need a look at each case's other tries. And which closed runs
-- are not in the statistics of cases yet: those are kept apart from the transactions of results.
SET ROLE verdict_collector;

CREATE INDEX result_tried_again ON results.result (run_id) WHERE try > 1;

ALTER TABLE results.run_totals ADD COLUMN in_statistics boolean NOT NULL DEFAULT false;
CREATE INDEX run_totals_to_count ON results.run_totals (run_id) WHERE closed AND NOT in_statistics;

RESET ROLE;
