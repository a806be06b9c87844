# SPDX-License-Identifier: Apache-2.0
"""P4: what a worker does after it was given up never counts, and no task waits for it."""

from parts.process import wait_until

ATTEMPT = "SELECT max(attempt) FROM scheduling.task WHERE run_id = %s"


def worker_of(verdict, run_id):
    """The name of the worker that has the run's only task."""
    return verdict.db.value(
        """SELECT w.name FROM scheduling.task t JOIN scheduling.worker w ON w.id = t.worker_id
           WHERE t.run_id = %s""",
        run_id,
    )


def results_after_the_bump(verdict):
    return verdict.db.query(
        """SELECT r.name FROM results.result r
           JOIN scheduling.dispatch later
             ON later.task_id = r.task_id AND later.attempt > r.attempt
           WHERE r.recorded_at > later.created_at"""
    )


def stale_results(verdict, run_id):
    return verdict.db.query("SELECT * FROM results.stale_result WHERE run_id = %s", run_id)


def test_a_stopped_worker_that_wakes_up_again_is_stale(verdict, work):
    """Its test process goes on meanwhile: what that tells comes after the task was given away."""
    suite = work.suites["tap"]
    suite.resize(cases=100, pause_ms=20)
    work.start(executors=2)
    run_id = work.trigger("tap")
    work.wait_started(run_id)
    worker = worker_of(verdict, run_id)

    verdict.pause(worker)
    wait_until(lambda: verdict.db.value(ATTEMPT, run_id) > 1, 30, "another attempt")
    verdict.resume(worker)
    stale = wait_until(lambda: stale_results(verdict, run_id), 30, "what the stale one has to say")
    work.wait_all_final()

    assert {row["attempt"] for row in stale} == {1}
    run = verdict.wait_final(run_id)
    assert run["state"] == "passed"
    assert run["totals"]["passed"] == run["totals"]["planned"] == suite.cases
    assert not results_after_the_bump(verdict)
    work.check()


def test_a_killed_workers_task_is_run_elsewhere(verdict, work):
    work.suite.resize(cases=100, pause_ms=20)
    work.start(executors=2)
    run_id = work.trigger()
    work.wait_started(run_id)

    verdict.kill(worker_of(verdict, run_id))

    run = verdict.wait_final(run_id)
    assert run["state"] == "passed"
    assert verdict.db.value(ATTEMPT, run_id) == 2
    work.check()


def test_a_restarted_worker_sends_what_it_had_not_sent(verdict, work):
    work.start()
    verdict.stop("result-collector")
    run_id = work.trigger()
    ended = lambda: any(a.ended for a in work.started(run_id).values())  # noqa: E731
    wait_until(ended, 30, "the test process to end")

    verdict.kill("executor-1")
    verdict.start("executor-1")
    verdict.start("result-collector")

    assert verdict.wait_final(run_id)["state"] == "passed"
    work.check()


# Says that it runs, ten times a second, and heeds no TERM. Its second attempt ends by itself.
LONELY = """
trap '' TERM
i=0
while [ "$VERDICT_ATTEMPT" -eq 1 ] || [ $i -lt 5 ]; do
    date "+$VERDICT_ATTEMPT %s.%N" >>"$JOURNAL"
    i=$((i + 1))
    sleep 0.1
done
"""


def test_an_exclusive_task_never_runs_beside_its_successor(verdict):
    """Its worker is not heard any more, and only sees that nobody says that it was."""
    lease = {"VERDICT_WORKER_SUSPECT": "1s", "VERDICT_WORKER_LOST": "3s"}
    verdict.start_all(executors=2, **lease)
    verdict.api.put("/v1/projects/shop", {"title": "Shop"})
    journal = verdict.folder / "journal"
    suite = {
        "slug": "lonely",
        "framework": "command",
        "source": {"kind": "path", "path": str(verdict.folder)},
        "command": ["sh", "-c", LONELY],
        "report": {"format": "none"},
        "environment": {"JOURNAL": str(journal)},
        "exclusive": True,
    }
    run = verdict.api.post("/v1/runs", {"project": "shop", "suite": suite}, expect=201)["id"]
    beats = lambda: [line.split() for line in journal.read_text().splitlines()]  # noqa: E731
    wait_until(lambda: journal.exists() and len(beats()) > 40, 30, "more than a lease of running")
    assert verdict.db.value(ATTEMPT, run) == 1, "a worker that is heard keeps its task"

    verdict.db.query(
        "UPDATE api.enrolment SET revoked_at = now() WHERE name = %s", worker_of(verdict, run)
    )
    assert verdict.wait_final(run)["state"] == "passed"

    times = {
        attempt: [float(at) for number, at in beats() if number == attempt] for attempt in "12"
    }
    assert len(times["2"]) == 5
    assert max(times["1"]) < min(times["2"])
    assert verdict.db.value(ATTEMPT, run) == 2
