-- SPDX-License-Identifier: Apache-2.0
-- One suite on several platforms: an upload says of which variant its results are. The same file may be of two.
SET ROLE verdict_api;

ALTER TABLE api.upload ADD COLUMN variant text NOT NULL DEFAULT '';
ALTER TABLE api.upload DROP CONSTRAINT upload_run_id_digest_key;
ALTER TABLE api.upload ADD UNIQUE (run_id, digest, variant);

RESET ROLE;
