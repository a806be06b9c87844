# SPDX-License-Identifier: Apache-2.0
"""The checker of the storms finds what it is there for: a history that is right passes, and each
fault that is put into it is reported."""

import contextlib

import pytest
from parts.process import StackError
from support.checker import Checker
from support.receiver import Receiver
from support.workload import Journal, Work

# What is done to the ledger → what the checker must say.
FAULTS = {
    "a lost result": (
        "DELETE FROM results.result WHERE name IN (SELECT name FROM results.result LIMIT 1)",
        "lost",
    ),
    "a doubled result": (
        """INSERT INTO results.result (run_id, case_key, try, task_id, attempt, dispatch_id, seq,
                                       status, name)
           SELECT run_id, case_key, 2, task_id, attempt, dispatch_id, seq, status, name
           FROM results.result LIMIT 1""",
        "doubled",
    ),
    "a result that nobody has made": (
        "UPDATE results.result SET name = 'nobody' WHERE name IN ('case-1', 'test_1')",
        "nobody did",
    ),
    "a result of another attempt": ("UPDATE results.result SET attempt = 9", "nobody did"),
    "a result that says something else": (
        "UPDATE results.result SET status = 'skipped' WHERE status = 'failed'",
        "has failed, and not as in",
    ),
    "no result at all": ("DELETE FROM results.result", "lost"),
    "a run that is not final": (
        """UPDATE scheduling.run_state SET state = 'running', reason = NULL, finished_at = NULL,
                  wait_text = 'tests are running'""",
        "not final",
    ),
    "a run that no scheduler has seen": ("DELETE FROM scheduling.run_state", "not final"),
    "a task that is not done": (
        "UPDATE scheduling.task SET state = 'running', outcome = NULL",
        "tasks not done",
    ),
    "no attempt that was accepted": (
        "UPDATE scheduling.task SET outcome = 'lost'",
        "without evidence",
    ),
    "no record of any attempt": ("DELETE FROM results.task_record", "without evidence"),
    "no task": ("DELETE FROM scheduling.task", "without evidence"),
    "a green verdict over a failed case": (
        """UPDATE scheduling.run_state SET state = 'passed', reason = NULL
           WHERE state = 'failed'""",
        "it deserves",
    ),
    "a verdict that no test has given": (
        "UPDATE scheduling.run_state SET state = 'errored', reason = 'worker_lost'",
        "were to be decided",
    ),
    "totals that are not the sum": (
        "UPDATE results.run_totals SET passed = passed - 1",
        "totals are not the sum",
    ),
    "totals that are open": (
        "UPDATE results.run_totals SET closed = false",
        "a final run whose totals are open",
    ),
}


class History:
    """Some runs that are over, and whom their ends were told to."""

    def __init__(self, verdict, folder, receiver):
        self.work = Work(verdict, folder, cases=4, pause_ms=0).start()
        self.receiver = receiver
        self.endpoint = verdict.api.post(
            f"/v1/projects/{self.work.project}/webhooks",
            {"url": receiver.url, "events": ["run.finished"]},
            expect=201,
        )["id"]
        for kind in ("junit", "tap", "failing", "declared"):
            self.work.trigger(kind)
        self.work.wait_all_final()
        self.db = verdict.db
        self.checker = self.work.checker()

    def check(self):
        evidence = self.checker.check()
        self.checker.ends_are_delivered(self.receiver, self.endpoint)
        assert (evidence.runs, evidence.decided, evidence.accepted) == (4, 4, 5)
        assert evidence.journalled == evidence.results == 16
        assert evidence.endings == {("passed", ""): 3, ("failed", "cases_failed"): 1}

    @contextlib.contextmanager
    def changed(self, sql):
        self.db.query("BEGIN")
        try:
            self.db.query(sql)
            yield
        finally:
            self.db.query("ROLLBACK")


@pytest.fixture(scope="module")
def history(shared_verdict, tmp_path_factory):
    with Receiver() as receiver:
        yield History(shared_verdict, tmp_path_factory.mktemp("work"), receiver)


@pytest.fixture(autouse=True)
def is_right(history):
    """It passes, before and after: what is reported meanwhile is what was put in."""
    history.check()
    yield
    history.check()


@pytest.mark.parametrize("fault", FAULTS)
def test_a_fault_in_the_ledger_is_reported(history, fault):
    sql, words = FAULTS[fault]

    with history.changed(sql), pytest.raises(AssertionError, match=words):
        history.checker.check()


def test_runs_that_were_lost_or_are_too_many_are_reported(history):
    work = history.work
    (key, run), *others = work.promised.items()

    for promised, words in (
        ({**work.promised, "lost": key}, "acknowledged and lost"),
        (dict(others), "4 runs of 3 keys"),
        ({**work.promised, "again": run}, "4 runs of 5 keys"),
        ({}, "nothing was promised"),
    ):
        with pytest.raises(AssertionError, match=words):
            Checker(history.db, work.journal, promised, work.promises).check()


def test_what_no_test_process_has_written_down_is_reported(history, tmp_path):
    work = history.work
    cut = Journal(tmp_path / "cut")
    for path in work.journal.folder.iterdir():
        lines = path.read_text().splitlines(keepends=True)
        (cut.folder / path.name).write_text("".join(x for x in lines if not x.startswith("end")))

    for journal in (Journal(tmp_path / "empty"), cut):
        with pytest.raises(AssertionError, match="no process says so"):
            Checker(history.db, journal, work.promised, work.promises).check()


def test_a_delivery_that_is_missing_or_doubled_is_reported(history):
    first = "(SELECT id FROM notify.delivery ORDER BY id LIMIT 1)"
    again = f"""INSERT INTO notify.delivery (id, event_id, endpoint_id, project_id, request_id,
                                             event_type, state, finished_at)
                SELECT gen_random_uuid(), event_id, endpoint_id, project_id, gen_random_uuid(),
                       event_type, state, finished_at
                FROM notify.delivery WHERE id = {first}"""

    for sql, error, words in (
        (f"DELETE FROM notify.delivery WHERE id = {first}", StackError, "each end"),
        (again, AssertionError, "5 deliveries of 4 ends"),
    ):
        with history.changed(sql), pytest.raises(error, match=words):
            history.checker.ends_are_delivered(history.receiver, history.endpoint, timeout_s=0.1)


def test_a_delivery_that_the_receiver_has_not_heard_of_is_reported(history):
    with Receiver() as deaf, pytest.raises(AssertionError, match="the receiver knows otherwise"):
        history.checker.ends_are_delivered(deaf, history.endpoint)
