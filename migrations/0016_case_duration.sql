-- SPDX-License-Identifier: Apache-2.0
-- Of a case that has never run, only been skipped, nobody knows how long it takes.
SET ROLE verdict_collector;

ALTER TABLE results.known_case ALTER COLUMN duration_ms DROP NOT NULL,
                               ALTER COLUMN duration_ms DROP DEFAULT;
UPDATE results.known_case SET duration_ms = NULL
WHERE duration_ms = 0 AND last_status IN ('skipped', 'blocked');

RESET ROLE;
