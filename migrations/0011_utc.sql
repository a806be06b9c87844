-- SPDX-License-Identifier: Apache-2.0
-- A time as the API writes it.
SET ROLE verdict_api;

CREATE FUNCTION api.utc(timestamptz) RETURNS text LANGUAGE sql STABLE PARALLEL SAFE
    RETURN to_char($1 AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"');

RESET ROLE;
