-- SPDX-License-Identifier: Apache-2.0
-- The record that a log is known by outlives its owner: see docs/architecture.md, "Is the log the log that
-- it was?"
SET ROLE verdict_scheduler;
ALTER TABLE scheduling.inbox_offset ADD COLUMN anchor_offset bigint, ADD COLUMN anchor_hash bytea;
RESET ROLE;

SET ROLE verdict_collector;
ALTER TABLE results.inbox_offset ADD COLUMN anchor_offset bigint, ADD COLUMN anchor_hash bytea;
RESET ROLE;

SET ROLE verdict_notifier;
ALTER TABLE notify.inbox_offset ADD COLUMN anchor_offset bigint, ADD COLUMN anchor_hash bytea;
RESET ROLE;
