# SPDX-License-Identifier: Apache-2.0
"""Compares what was promised, what the test processes wrote down and what the ledger says. All
invariants are over the whole history, never over log lines."""

# Each must be empty at every moment, storm or not.
ALWAYS = {
    "law 3: more results than planned": """
        SELECT run_id FROM results.run_totals
        WHERE passed + failed + errored + skipped + blocked > planned""",
    "a closed run without planned": """
        SELECT run_id FROM results.run_totals WHERE closed AND planned IS NULL""",
    "a final run whose totals are open": """
        SELECT s.run_id FROM scheduling.run_state s JOIN results.run_totals t USING (run_id)
        WHERE s.finished_at IS NOT NULL AND NOT t.closed""",
    "an open run without a reason to wait or a deadline": """
        SELECT run_id FROM scheduling.run_state
        WHERE finished_at IS NULL
          AND (wait_text IS NULL OR wait_class IS NULL OR run_deadline IS NULL)""",
    "a task that is out without worker, dispatch and deadline": """
        SELECT id FROM scheduling.task
        WHERE state IN ('dispatched', 'running')
          AND (worker_id IS NULL OR dispatch_id IS NULL OR deadline IS NULL)""",
    "a final run with an open task": """
        SELECT s.run_id FROM scheduling.run_state s JOIN scheduling.task t USING (run_id)
        WHERE s.finished_at IS NOT NULL AND t.state <> 'done'""",
    "a result of another attempt than its dispatch's": """
        SELECT r.run_id FROM results.result r JOIN scheduling.dispatch d ON d.id = r.dispatch_id
        WHERE (r.task_id, r.attempt) <> (d.task_id, d.attempt)""",
}


class Checker:
    def __init__(self, verdict, suite, promised):
        self.db = verdict.db
        self.suite = suite
        self.promised = promised  # idempotency key → run id

    def check(self):
        self.every_promise_is_a_run()
        self.everything_is_final()
        self.results_are_there_once()
        self.totals_equal_the_sum()
        self.nothing_is_broken()

    def every_promise_is_a_run(self):
        """P1: an acknowledged trigger is a run, and one key never two."""
        runs = {str(row["id"]) for row in self.db.query("SELECT id FROM api.run")}
        lost = set(self.promised.values()) - runs
        assert not lost, f"acknowledged and lost: {sorted(lost)[:5]}"
        assert len(runs) == len(self.promised), f"{len(runs)} runs of {len(self.promised)} keys"
        assert len(set(self.promised.values())) == len(self.promised)

    def everything_is_final(self):
        """P2."""
        without = self.db.query(
            """SELECT r.id FROM api.run r LEFT JOIN scheduling.run_state s ON s.run_id = r.id
               WHERE s.finished_at IS NULL LIMIT 5"""
        )
        assert not without, f"not final: {without}"
        tasks = self.db.query("SELECT id FROM scheduling.task WHERE state <> 'done' LIMIT 5")
        assert not tasks, f"tasks not done: {tasks}"

    def results_are_there_once(self):
        """P3: what an accepted attempt did is in the ledger, and nothing that nobody did."""
        for run_id in self.promised.values():
            done = self.suite.attempts(run_id)
            rows = self.db.query(
                """SELECT task_id::text AS task, attempt, name FROM results.result
                   WHERE run_id = %s""",
                run_id,
            )
            names = [row["name"] for row in rows]
            assert len(names) == len(set(names)), f"{run_id}: doubled"
            for row in rows:
                entry = done.get((row["task"], row["attempt"]))
                assert entry and row["name"] in entry["cases"], f"{run_id}: nobody did {row}"
            self._accepted_are_complete(run_id, done, set(names))

    def _accepted_are_complete(self, run_id, done, names):
        accepted = self.db.query(
            """SELECT t.id::text AS task, t.attempt FROM scheduling.task t
               JOIN results.task_record r ON r.dispatch_id = t.dispatch_id
               WHERE t.run_id = %s AND t.outcome = 'finished' AND r.ending = 'exited'""",
            run_id,
        )
        for row in accepted:
            entry = done.get((row["task"], row["attempt"]))
            assert entry and entry["ended"], f"{run_id}: accepted, but no process says so: {row}"
            lost = set(entry["cases"]) - names
            assert not lost, f"{run_id}: lost {sorted(lost)[:5]}"

    def totals_equal_the_sum(self):
        """Law 3, and the totals kept along the way equal those counted afterwards."""
        wrong = self.db.query(
            """SELECT t.run_id, t.planned, t.passed, t.failed, t.errored, t.skipped, t.blocked,
                      count(r.name) AS counted
               FROM results.run_totals t LEFT JOIN results.result r ON r.run_id = t.run_id
               GROUP BY t.run_id
               HAVING t.passed <> count(*) FILTER (WHERE r.status = 'passed')
                   OR t.failed <> count(*) FILTER (WHERE r.status = 'failed')
                   OR t.errored <> count(*) FILTER (WHERE r.status = 'errored')
                   OR t.skipped <> count(*) FILTER (WHERE r.status = 'skipped')
                   OR t.blocked <> count(*) FILTER (WHERE r.status = 'blocked')
                   OR t.planned < count(r.name)
               LIMIT 5"""
        )
        assert not wrong, f"totals are not the sum: {wrong}"

    def nothing_is_broken(self):
        for name, sql in ALWAYS.items():
            rows = self.db.query(sql + " LIMIT 3")
            assert not rows, f"{name}: {rows}"

    def verdicts(self):
        """State and reason of all runs, counted: for the test's own assertion and its log."""
        rows = self.db.query(
            """SELECT state, coalesce(reason, '') AS reason, count(*) AS runs
               FROM scheduling.run_state GROUP BY 1, 2 ORDER BY 1, 2"""
        )
        return {(row["state"], row["reason"]): row["runs"] for row in rows}
