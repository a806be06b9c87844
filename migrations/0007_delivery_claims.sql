-- SPDX-License-Identifier: Apache-2.0
-- Which notifier is sending a delivery just now. While it is, next_attempt_at is the end of its lease;
-- an instance that was killed takes its own claims back when it starts again.
SET ROLE verdict_notifier;

ALTER TABLE notify.delivery ADD COLUMN claimed_by text CHECK (claimed_by IS NULL OR state = 'pending');
CREATE INDEX delivery_claimed ON notify.delivery (claimed_by) WHERE claimed_by IS NOT NULL;
CREATE INDEX delivery_due_by_endpoint ON notify.delivery (endpoint_id, next_attempt_at)
    WHERE state = 'pending';

RESET ROLE;
