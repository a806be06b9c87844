-- SPDX-License-Identifier: Apache-2.0
-- An endpoint that answers with Retry-After is left alone until then, with all its deliveries.
SET ROLE verdict_notifier;

ALTER TABLE notify.endpoint_state ADD COLUMN hold_until timestamptz;

RESET ROLE;
