# SPDX-License-Identifier: Apache-2.0
"""A long history of runs, in seconds."""

# Copies of one run that has ended, with all that a read of its status joins.
COPIES = """
CREATE TEMP TABLE copy AS SELECT (lpad(to_hex((extract(epoch FROM now() - interval '{age}')
  * 1000)::bigint), 12, '0') || '7' || substr(md5(n::text || clock_timestamp()), 14))::uuid AS id, n
 FROM generate_series(1, {count}) n;
INSERT INTO api.run ({run}) SELECT c.id, {run_rest} FROM copy c, api.run r WHERE r.id = '{id}';
INSERT INTO scheduling.run_state ({state}) SELECT c.id, {state_rest}
 FROM copy c, scheduling.run_state r WHERE r.run_id = '{id}';
INSERT INTO results.run_totals ({totals}) SELECT c.id, {totals_rest}
 FROM copy c, results.run_totals r WHERE r.run_id = '{id}';
"""


def columns(verdict, schema, table, key):
    rows = verdict.db.query(
        """SELECT column_name AS name FROM information_schema.columns WHERE table_schema = %s
           AND table_name = %s AND column_name <> %s AND is_identity = 'NO'""",
        schema,
        table,
        key,
    )
    names = [row["name"] for row in rows]
    return ", ".join([key, *names]), ", ".join(f"r.{name}" for name in names)


def copies(verdict, run_id, count, age="0"):
    """The ids of so many more runs like this one, of an earlier time if wished."""
    run, run_rest = columns(verdict, "api", "run", "id")
    state, state_rest = columns(verdict, "scheduling", "run_state", "run_id")
    totals, totals_rest = columns(verdict, "results", "run_totals", "run_id")
    words = dict(run=run, run_rest=run_rest, state=state, state_rest=state_rest)
    words |= dict(totals=totals, totals_rest=totals_rest, id=run_id, count=count, age=age)
    verdict.db.query(COPIES.format(**words))
    ids = [str(row["id"]) for row in verdict.db.query("SELECT id FROM copy")]
    verdict.db.query("DROP TABLE copy; ANALYZE api.run, scheduling.run_state, results.run_totals")
    return ids
