# SPDX-License-Identifier: Apache-2.0
"""Questions to the ledger, as the administrator. Survives restarts of Postgres."""

import psycopg
from psycopg.rows import dict_row

_REFUSE = """
CREATE OR REPLACE FUNCTION public.refuse() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'invalid byte sequence' USING ERRCODE = '22021';
END $$;
GRANT EXECUTE ON FUNCTION public.refuse() TO PUBLIC;
"""


class Database:
    def __init__(self, url):
        self.url = url
        self._connection = None

    def query(self, sql, *parameters):
        """All rows as dictionaries; each statement is its own transaction."""
        try:
            return self._run(sql, parameters)
        except psycopg.OperationalError:
            self.close()
            return self._run(sql, parameters)

    def value(self, sql, *parameters):
        """The first column of the first row; None without a row."""
        rows = self.query(sql, *parameters)
        return next(iter(rows[0].values())) if rows else None

    def close(self):
        if self._connection is not None:
            self._connection.close()
            self._connection = None

    def _run(self, sql, parameters):
        if self._connection is None:
            self._connection = psycopg.connect(
                self.url, autocommit=True, row_factory=dict_row, connect_timeout=10
            )
        cursor = self._connection.execute(sql, parameters or None)
        return cursor.fetchall() if cursor.description else []


def refuse(db, table, when, run, condition=""):
    """From now on `when` (INSERT, UPDATE) on the table is refused for this run."""
    db.query(_REFUSE)
    db.query(
        f"""CREATE TRIGGER refuse BEFORE {when} ON {table} FOR EACH ROW
            WHEN (NEW.run_id = '{run}' {condition}) EXECUTE FUNCTION public.refuse()"""
    )
