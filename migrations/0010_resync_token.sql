-- SPDX-License-Identifier: Apache-2.0
-- Workers are asked to send again until they have: also by the next owner of the partition.
SET ROLE verdict_scheduler;

ALTER TABLE scheduling.partition_owner ADD COLUMN resync_token uuid;

RESET ROLE;
