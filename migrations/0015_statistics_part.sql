-- SPDX-License-Identifier: Apache-2.0
-- A large run goes into the statistics of cases a part at a time: those up to this case are counted.
SET ROLE verdict_collector;

ALTER TABLE results.run_totals ADD COLUMN counted_to bytea;

RESET ROLE;
