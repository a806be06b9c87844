-- SPDX-License-Identifier: Apache-2.0
-- Versions of suites that nothing refers to any more are removed.
SET ROLE verdict_api;

CREATE INDEX run_by_suite_version ON api.run (suite_version_id);
CREATE INDEX suite_by_version ON api.suite (current_version_id);

-- Looks at what is committed when it is called, not when the statement that calls it began: whoever holds the lock of
-- a version's row knows by this that nothing refers to it, and nothing will.
CREATE FUNCTION api.version_is_used(version uuid) RETURNS boolean LANGUAGE plpgsql VOLATILE
AS $$
BEGIN
    RETURN EXISTS (SELECT FROM api.run r WHERE r.suite_version_id = version)
        OR EXISTS (SELECT FROM api.suite s WHERE s.current_version_id = version);
END
$$;

RESET ROLE;
