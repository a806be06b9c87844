-- SPDX-License-Identifier: Apache-2.0
-- Which runs have second tries (few: only they need a look at each case's other tries), and what one
-- dispatch has brought (statistics once per finished task, the remaining cases of a lost one).
SET ROLE verdict_collector;

CREATE INDEX result_tried_again ON results.result (run_id) WHERE try > 1;
CREATE INDEX result_by_dispatch ON results.result (dispatch_id);

RESET ROLE;
