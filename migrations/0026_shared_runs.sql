-- SPDX-License-Identifier: Apache-2.0
-- Links to the page of a project's runs name the number of this; who takes them back raises it.
SET ROLE verdict_api;

ALTER TABLE api.project ADD COLUMN share_generation bigint NOT NULL DEFAULT 0;

RESET ROLE;
