# SPDX-License-Identifier: Apache-2.0
"""Compares what was promised, what the test processes wrote down and what the ledger says. All
invariants are over the whole history, never over log lines."""

import collections
import dataclasses

from parts.process import wait_until

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


# Two workers lost under one started task: an ending of its own, and no fault where they are killed.
WORKER_LOST = ("errored", "worker_lost")

TASKS = """
    SELECT t.run_id::text AS run, t.id::text AS task, t.attempt,
           t.outcome = 'finished' AND r.ending = 'exited' AS accepted
    FROM scheduling.task t LEFT JOIN results.task_record r ON r.dispatch_id = t.dispatch_id"""
RESULTS = """SELECT run_id::text AS run, task_id::text AS task, attempt, name, status
             FROM results.result"""
DELIVERED = """
    SELECT e.run_id::text AS run, d.event_id::text AS event FROM notify.delivery d
    JOIN notify.event e ON e.id = d.event_id
    WHERE d.endpoint_id = %s AND d.state = 'delivered'"""


@dataclasses.dataclass
class Evidence:
    """What the check has rested on: where nothing was seen, nothing was shown."""

    runs: int = 0
    decided: int = 0  # runs that their tests have ended
    accepted: int = 0  # attempts of theirs
    journalled: int = 0  # cases that those say they have run
    results: int = 0  # in the ledger
    endings: collections.Counter = dataclasses.field(default_factory=collections.Counter)


class Checker:
    """`promised` is idempotency key → run id, `promises` run id → what was promised of it."""

    def __init__(self, db, journal, promised, promises):
        self.db = db
        self.journal = journal
        self.promised = promised
        self.promises = promises

    def check(self, decided=None):
        """Every invariant. So many runs at least (otherwise: all) must have been ended by their
        tests; what was seen is returned."""
        assert self.promised, "nothing was promised"
        self.every_promise_is_a_run()
        self.everything_is_final()
        evidence = self.runs_are_what_their_processes_say()
        wanted = len(self.promised) if decided is None else decided
        assert evidence.decided >= wanted, f"{wanted} runs were to be decided: {evidence}"
        self.totals_equal_the_sum()
        self.nothing_is_broken()
        return evidence

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

    def runs_are_what_their_processes_say(self):
        """P3: what an accepted attempt did is in the ledger once, nothing that nobody did, and the
        run ended as that says."""
        evidence = Evidence()
        endings = self.db.query(
            "SELECT run_id::text AS run, state, coalesce(reason, '') AS reason"
            " FROM scheduling.run_state"
        )
        tasks, results = self._by_run(TASKS), self._by_run(RESULTS)
        for row in endings:
            history = _Run(row["run"], self.journal, tasks[row["run"]], results[row["run"]])
            ending = (row["state"], row["reason"])
            history.check_results()
            evidence.runs += 1
            evidence.results += len(history.results)
            evidence.endings[ending] += 1
            promise = self.promises[row["run"]]
            if ending == WORKER_LOST or ending in promise.may_also:
                continue
            evidence.decided += 1
            evidence.accepted += len(history.accepted)
            evidence.journalled += sum(len(entry.cases) for entry in history.accepted)
            history.check_ending(ending, promise.cases)
        return evidence

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

    def ends_are_delivered(self, receiver, endpoint_id, timeout_s=60):
        """Each run's end was told: at least once to the receiver, once in the log of deliveries."""
        runs = set(self.promised.values())
        told = lambda: len(self.db.query(DELIVERED, endpoint_id)) >= len(runs)  # noqa: E731
        wait_until(told, timeout_s, "each end to be delivered")
        delivered = self.db.query(DELIVERED, endpoint_id)
        assert len(delivered) == len(runs), f"{len(delivered)} deliveries of {len(runs)} ends"
        assert {row["run"] for row in delivered} == runs
        heard = {request.headers["webhook-id"] for request in receiver.requests}
        assert heard == {row["event"] for row in delivered}, "the receiver knows otherwise"

    def _by_run(self, sql):
        rows = collections.defaultdict(list)
        for row in self.db.query(sql):
            rows[row["run"]].append(row)
        return rows


class _Run:
    """One run: what its test processes have written down, against the ledger."""

    def __init__(self, run_id, journal, tasks, results):
        self.id = run_id
        self.done = journal.attempts(run_id)
        self.tasks = tasks
        self.results = results
        self.accepted = []  # the attempts that count, as their processes saw them
        for task in tasks:
            if task["accepted"]:
                entry = self.done.get((task["task"], task["attempt"]))
                assert entry and entry.ended, f"{self.id}: accepted, but no process says so: {task}"
                self.accepted.append(entry)

    def check_results(self):
        names = [row["name"] for row in self.results]
        assert len(names) == len(set(names)), f"{self.id}: doubled"
        for row in self.results:
            entry = self.done.get((row["task"], row["attempt"]))
            assert entry and row["name"] in entry.cases, f"{self.id}: nobody did {row}"
            said = entry.cases[row["name"]]
            assert row["status"] == said, (
                f"{self.id}: {row['name']} has {said}, and not as in {row}"
            )
        lost = {name for entry in self.accepted for name in entry.cases} - set(names)
        assert not lost, f"{self.id}: lost {sorted(lost)[:5]}"

    def check_ending(self, ending, cases):
        assert self.tasks and len(self.accepted) == len(self.tasks), (
            f"{self.id} is {ending} without evidence: {len(self.accepted)} accepted attempts of"
            f" {len(self.tasks)} tasks"
        )
        assert len(self.results) == cases, f"{self.id}: {len(self.results)} results of {cases}"
        assert ending == self._deserved(), f"{self.id}: {ending}, it deserves {self._deserved()}"

    def _deserved(self):
        if any(row["status"] == "failed" for row in self.results):
            return ("failed", "cases_failed")
        if any(entry.exit != 0 for entry in self.accepted):
            return ("errored", "exit_contradicts_report")
        return ("passed", "")
