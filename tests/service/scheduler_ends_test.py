# SPDX-License-Identifier: Apache-2.0
"""How runs end: cancels, deadlines, races, superseding, and what is not green."""

import collections
import json
import subprocess
import threading
import uuid

import pytest
from parts.process import wait_until
from support.pool import declared, finished, result
from support.size import WHOLE, size


@pytest.mark.parametrize("state", ["queued", "dispatched", "running"])
def test_a_cancel_is_final_at_once_in_every_state(pool, state):
    worker = pool.ready_worker() if state != "queued" else None
    run = pool.trigger()
    dispatch = worker.next_dispatch() if worker else None
    if state == "running":
        worker.start(dispatch)
        pool.reaches(run, "running")
    else:
        pool.reaches(run, "queued")

    pool.cancel(run)
    final = pool.final(run)

    assert (final["state"], final["reason"]) == ("cancelled", "cancelled")
    assert final["actor"] is not None
    assert pool.totals(run)["closed"]
    assert all(t["outcome"] == "cancelled" for t in pool.tasks(run))
    if dispatch:
        wait_until(lambda: dispatch["dispatch_id"] in worker.cancelled, 15, "the worker to be told")
        wait_until(
            lambda: worker.syncs and dispatch["dispatch_id"] not in worker.syncs[-1]["running"],
            15,
            "the full set to be without it",
        )
        worker.finish(dispatch, [])
        wait_until(lambda: not worker.held, 15, "the spool to be settled")
    assert pool.final(run)["state"] == "cancelled"


def test_a_cancel_and_a_trigger_without_any_message_are_found(pool):
    pool.verdict.stop("scheduler")
    run, other = pool.trigger(), pool.trigger()
    pool.db.query("DELETE FROM api.outbox")
    pool.db.query(
        """INSERT INTO api.run (id, project_id, pool_id, suite_version_id, suite_slug, title,
                                priority, policy, created_by)
           SELECT %s, project_id, pool_id, suite_version_id, suite_slug, title, priority, policy,
                  created_by FROM api.run WHERE id = %s""",
        silent := other[:-12] + uuid.uuid4().hex[:12],
        other,
    )
    pool.db.query(
        """INSERT INTO api.run_request (id, run_id, kind, created_by)
           SELECT %s, id, 'cancel', created_by FROM api.run WHERE id = %s""",
        str(uuid.uuid4()),
        run,
    )

    pool.verdict.start("scheduler")
    worker = pool.ready_worker(slots=2)

    assert pool.final(run)["state"] == "cancelled"
    wait_until(
        lambda: {silent, other} <= {d["run_id"] for d in worker.received}, 15, "both to be sent"
    )


def test_a_record_without_any_message_ends_the_task(pool):
    worker = pool.ready_worker()
    run = pool.trigger()
    dispatch = worker.next_dispatch()
    worker.start(dispatch)
    pool.reaches(run, "running")

    pool.verdict.stop("result-collector")
    pool.db.query(
        """INSERT INTO results.task_record (dispatch_id, run_id, task_id, attempt, received,
                                            finished, ending, exit_status, report)
           VALUES (%s, %s, %s, 1, 1, true, 'exited', 0, 'complete')""",
        dispatch["dispatch_id"],
        run,
        dispatch["task_id"],
    )

    assert pool.final(run)["reason"] == "no_tests"


def test_of_a_finish_and_a_cancel_at_once_one_wins(pool, tell):
    worker = pool.ready_worker(slots=16)
    won = collections.Counter()
    for _ in range(size(1, 63)):
        won += race_finishes_against_cancels(pool, worker)
    tell(races=won.total(), cancelled=won["cancelled"])
    if WHOLE:  # else they were no races
        assert 0 < won["cancelled"] < won.total()


def race_finishes_against_cancels(pool, worker):
    """16 races at once; what won."""
    won = collections.Counter()
    runs = [pool.trigger() for _ in range(16)]
    sent = lambda: {d["run_id"]: d for d in worker.received if d["run_id"] in runs}  # noqa: E731
    wait_until(lambda: len(sent()) == len(runs), 30, "all of them to be dispatched")
    dispatches = list(sent().values())
    for dispatch in dispatches:
        worker.start(dispatch)

    cancels = [threading.Thread(target=pool.cancel, args=(d["run_id"],)) for d in dispatches]
    for cancel, dispatch in zip(cancels, dispatches, strict=True):
        cancel.start()
        worker.finish(dispatch)
    for cancel in cancels:
        cancel.join()

    for run in runs:
        state = pool.final(run)
        finals = pool.db.value(
            "SELECT count(*) FROM scheduling.run_event WHERE run_id = %s AND type = 'run.finished'",
            run,
        )
        told = pool.verdict.api.get(f"/v1/runs/{run}")
        assert state["state"] in ("passed", "cancelled")
        assert finals == 1
        assert told["state"] == state["state"]
        won[state["state"]] += 1
    return won


def test_an_exit_status_counts_though_nothing_ran_and_that_is_allowed(pool):
    worker = pool.ready_worker()
    run = pool.trigger(policy={"allow_empty": True})
    dispatch = worker.next_dispatch()
    worker.start(dispatch)

    worker.finish(dispatch, names=(), exit_status=2)

    assert pool.final(run)["reason"] == "exit_contradicts_report"


def test_blocked_cases_are_an_error_that_says_so(pool):
    worker = pool.ready_worker()
    run = pool.trigger()
    dispatch = worker.next_dispatch()
    worker.start(dispatch)
    pool.waits_for(run, "tests")

    items = [result("a"), result("b", "blocked"), finished(passed=1, blocked=1)]
    worker.stream(dispatch, items)
    state = pool.final(run)

    assert (state["state"], state["reason"]) == ("errored", "cases_blocked")
    answer = pool.verdict.api.get(f"/v1/runs/{run}")
    assert (answer["exit_code"], answer["totals"]["blocked"]) == (3, 1)
    told = subprocess.run(**pool.verdict.cli("wait", run), capture_output=True, check=False)
    assert told.returncode == 3
    assert b"blocked" in told.stderr


def test_a_task_that_its_worker_has_finished_is_not_overdue(pool):
    pool.verdict.start("scheduler", VERDICT_TASK_SLACK="1s")
    worker = pool.ready_worker()
    run = pool.trigger(policy={"task_timeout_ms": 1000, "grace_ms": 1000})
    dispatch = worker.next_dispatch()
    worker.start(dispatch)
    pool.reaches(run, "running")

    pool.verdict.stop("result-collector")
    worker.finish(dispatch)
    overdue = "SELECT bool_and(deadline < now() - interval '2 seconds') FROM scheduling.task"
    wait_until(lambda: pool.db.value(overdue), 30, "the task's deadline")
    pool.verdict.start("result-collector")

    assert pool.final(run)["state"] == "passed"


def test_a_run_that_nobody_can_run_is_errored_at_its_queue_time_out(pool):
    pool.ready_worker(labels={"os": "linux"})

    run = pool.trigger(policy={"queue_timeout_ms": 2000}, requirements=["os=plan9"])
    state = pool.final(run)

    assert (state["state"], state["reason"]) == ("errored", "no_capable_worker")
    assert "os=plan9" in state["reason_detail"]


def test_a_run_that_found_no_free_slot_is_timed_out_at_its_queue_time_out(pool):
    worker = pool.ready_worker()
    pool.trigger()
    worker.start(worker.next_dispatch())

    run = pool.trigger(policy={"queue_timeout_ms": 2000})
    state = pool.final(run)

    assert (state["state"], state["reason"]) == ("timed_out", "queue_timeout")


def test_a_run_is_timed_out_at_its_deadline_whatever_it_does(pool):
    worker = pool.ready_worker()

    run = pool.trigger(policy={"run_timeout_ms": 3000, "queue_timeout_ms": 2000})
    dispatch = worker.next_dispatch()
    worker.start(dispatch)
    state = pool.final(run)

    assert (state["state"], state["reason"]) == ("timed_out", "run_timeout")
    wait_until(lambda: dispatch["dispatch_id"] in worker.cancelled, 15, "the worker to be told")


def test_a_newer_run_of_the_branch_supersedes(pool):
    policy = {"cancel_superseded": True}
    older = pool.trigger(policy=policy, branch="main")
    pool.reaches(older, "queued")

    newer = pool.trigger(policy=policy, branch="main")
    state = pool.final(older)

    assert (state["state"], state["reason"]) == ("cancelled", "superseded")
    assert pool.state(newer)["state"] == "queued"


def pile_up(worker, count):
    """So many messages of before, which a scheduler that comes back has to read first."""
    topic, partition = (
        worker.identity["topics"]["scheduling"],
        worker.identity["scheduling_partition"],
    )
    probe = {"version": 1, "type": "scheduler.probe", "instance": "x", "epoch": 1, "seq": 1}
    with worker.lock:
        for _ in range(count):
            payload = json.dumps(probe).encode()
            while True:
                try:
                    worker.producer.produce(topic, payload, partition=partition)
                    break
                except BufferError:
                    worker.producer.poll(0.1)
        assert worker.producer.flush(60) == 0


@pytest.mark.parametrize(
    "policy, deadline",
    [
        ({"task_timeout_ms": 4000, "grace_ms": 1000}, "t.deadline"),
        ({"run_timeout_ms": 6000, "queue_timeout_ms": 5000}, "s.run_deadline"),
    ],
    ids=["of the task", "of the run"],
)
def test_what_ended_in_time_is_not_overdue_after_a_long_absence(pool, policy, deadline):
    """The scheduler is away while a task ends, until its deadline is over; then it has a long log
    to read before it hears of the end, which stands in the ledger."""
    pool.verdict.start("scheduler", VERDICT_TASK_SLACK="1s")
    worker = pool.ready_worker()
    run = pool.trigger(policy=policy)
    dispatch = worker.next_dispatch()
    worker.start(dispatch)
    pool.reaches(run, "running")
    pool.verdict.kill("scheduler")
    pile_up(worker, 20000)
    worker.finish(dispatch)
    recorded = "SELECT bool_and(finished) FROM results.task_record"
    wait_until(lambda: pool.db.value(recorded), 20, "the record")
    over = f"""SELECT bool_and({deadline} < now()) FROM scheduling.task t
               JOIN scheduling.run_state s ON s.run_id = t.run_id"""
    wait_until(lambda: pool.db.value(over), 30, "the deadline to be over")

    pool.verdict.start("scheduler")

    assert pool.final(run)["state"] == "passed"


def test_a_failure_of_a_case_that_an_earlier_attempt_passed_is_not_green(pool):
    """Attempt 1 records a as passed and is lost; attempt 2 runs all again, and a fails."""
    one = pool.ready_worker()
    run = pool.trigger(suite={"report": {"format": "junit", "path": "r.xml"}})
    dispatch = one.next_dispatch()
    one.start(dispatch)
    one.stream(dispatch, [result("a")])
    results = "SELECT count(*) FROM results.result"
    wait_until(lambda: pool.db.value(results) == 1, 15, "the first result")
    with one.lock:
        one.held.clear()
        one.incarnation += 1
    one.heartbeat()
    again = one.next_dispatch(1)
    one.start(again)
    end = finished("exited", passed=1, failed=1, exit_status=1)
    one.stream(again, [result("a", "failed"), result("b"), end])

    state = pool.final(run)

    assert (state["state"], state["reason"]) == ("errored", "exit_contradicts_report")
    assert state["reason_detail"] == "a failed, and passed in an earlier attempt"


def test_cases_without_the_end_of_their_process_are_run_again(pool):
    """All declared cases are recorded as passed, then the worker dies: how its process ended nobody
    has seen, so that is no green run yet."""
    worker = pool.ready_worker()
    run = pool.trigger(suite=declared("a", "b"))
    dispatch = worker.next_dispatch()
    worker.start(dispatch)

    def passed(one):
        body = {"key": one["key"], "name": one["selector"], "status": "passed", "duration_ms": 1}
        return {"kind": "result", "body": body}

    worker.stream(dispatch, [passed(one) for one in dispatch["cases"]])
    results = "SELECT count(*) FROM results.result"
    wait_until(lambda: pool.db.value(results) == 2, 15, "both results")
    with worker.lock:
        worker.held.clear()
        worker.incarnation += 1
    worker.heartbeat()

    again = worker.next_dispatch(1)
    assert [one["key"] for one in again["cases"]] == [one["key"] for one in dispatch["cases"]]
    worker.start(again)
    end = finished("exited", passed=2, exit_status=3)
    worker.stream(again, [*[passed(one) for one in again["cases"]], end])

    state = pool.final(run)
    assert (state["state"], state["reason"]) == ("errored", "exit_contradicts_report")
    assert pool.totals(run)["passed"] == 2
