# SPDX-License-Identifier: Apache-2.0
"""Questions to the ledger, as the administrator. Survives restarts of Postgres."""

import psycopg
from psycopg.rows import dict_row


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
