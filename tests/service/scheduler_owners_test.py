# SPDX-License-Identifier: Apache-2.0
"""Whose partition it is: take-overs, fences, epochs, refused data, stops."""

import json
import signal
import time
import uuid

import pytest
from parts.process import wait_until
from support.database import refuse
from support.worker import uuid_v7

PARTITIONS = 4


def test_a_graceful_stop_is_prompt_and_loses_nothing(pool):
    worker = pool.ready_worker()
    run = pool.trigger()
    dispatch = worker.next_dispatch()
    worker.start(dispatch)

    assert pool.verdict.stop("scheduler") == 0
    worker.finish(dispatch)
    pool.verdict.start("scheduler")

    assert pool.final(run)["state"] == "passed"
    assert pool.tasks(run)[0]["attempt"] == 1


def test_the_scheduling_topic_made_again_loses_no_run(pool):
    worker = pool.ready_worker()
    running = pool.trigger()
    dispatch = worker.next_dispatch()
    worker.start(dispatch)
    pool.reaches(running, "running")
    queued = pool.trigger()
    pool.waits_for(queued, "busy")

    pool.verdict.bus.delete("scheduling")
    pool.verdict.bus.create("scheduling", PARTITIONS)
    worker.finish(dispatch)
    again = worker.next_dispatch(1, 60)
    worker.start(again)
    worker.finish(again)

    assert pool.final(running)["state"] == "passed"
    assert pool.final(queued, 60)["state"] == "passed"
    assert pool.tasks(running)[0]["attempt"] == 1


def test_a_resync_is_known_to_the_next_owner(pool):
    """A worker that was away while it was asked for is asked by whoever owns the partition then."""
    token = str(uuid.uuid4())
    resync = {"version": 1, "type": "resync", "topic": "results", "token": token}
    worker = pool.ready_worker()
    partition = worker.identity["scheduling_partition"]
    pool.verdict.bus.produce("scheduling", json.dumps(resync), partition)
    wait_until(
        lambda: worker.syncs and worker.syncs[-1].get("resync_token") == token, 15, "the token"
    )

    pool.verdict.kill("scheduler")
    worker.syncs.clear()
    pool.verdict.start("scheduler")

    wait_until(
        lambda: worker.syncs and worker.syncs[-1].get("resync_token") == token,
        15,
        "the token from the next owner",
    )


def test_a_take_over_goes_on_where_the_other_was(pool):
    worker = pool.ready_worker()
    run = pool.trigger()
    dispatch = worker.next_dispatch()
    worker.start(dispatch)
    pool.reaches(run, "running")

    pool.verdict.kill("scheduler")
    pool.verdict.start("scheduler")
    wait_until(lambda: worker.hellos, 15, "the new owner's hello")
    worker.finish(dispatch)

    assert pool.final(run)["state"] == "passed"
    assert pool.tasks(run)[0]["attempt"] == 1
    assert len(worker.received) == 1


def test_a_zombie_is_fenced(pool):
    worker = pool.ready_worker()
    pool.verdict.pause("scheduler")
    pool.verdict.start("scheduler-2")
    epochs = """SELECT max(epoch) AS epoch FROM scheduling.partition_owner WHERE partition = %s"""
    partition = worker.identity["scheduling_partition"]
    wait_until(
        lambda: (
            pool.db.value(
                "SELECT instance FROM scheduling.partition_owner WHERE partition = %s", partition
            )
            == "scheduler-2"
        ),
        30,
        "the second to take over",
    )
    epoch = pool.db.value(epochs, partition)

    run = pool.trigger()
    dispatch = worker.next_dispatch(0, 30)
    pool.verdict.resume("scheduler")
    worker.start(dispatch)
    worker.finish(dispatch)

    assert pool.final(run)["state"] == "passed"
    assert dispatch["epoch"] == epoch
    assert pool.tasks(run)[0]["attempt"] == 1
    final = pool.trigger()
    again = worker.next_dispatch(1, 30)
    worker.start(again)
    worker.finish(again)
    assert pool.final(final)["state"] == "passed"


@pytest.mark.parametrize("epoch", [2**62, 2**53 - 1, 10_000_000])
def test_an_epoch_that_no_scheduler_can_have_had_is_refused(pool, epoch):
    worker = pool.ready_worker()
    before = pool.db.value("SELECT max(epoch) FROM scheduling.inbox_offset")

    worker.heartbeat(epoch=epoch)

    letters = lambda: pool.db.query("SELECT error FROM scheduling.dead_letter")  # noqa: E731
    wait_until(letters, 15, "the heartbeat to be refused")
    assert "epoch" in letters()[0]["error"]
    assert work_off(pool, worker, pool.trigger()) == "passed"
    assert pool.db.value("SELECT max(epoch) FROM scheduling.inbox_offset") == before


def test_a_worker_that_has_seen_a_higher_epoch_raises_ours(pool):
    worker = pool.ready_worker()

    with worker.lock:
        worker.epoch = 1000
    wait_until(
        lambda: pool.db.value("SELECT max(epoch) FROM scheduling.inbox_offset") == 1001,
        15,
        "the epoch to be above what the worker has seen",
    )
    run = pool.trigger()
    dispatch = worker.next_dispatch()

    assert dispatch["run_id"] == run
    assert dispatch["epoch"] >= 1001


# A fault of ours, as Postgres would show it: a statement about one run is refused as data.
def work_off(pool, worker, run):
    """The worker runs it, however often its dispatch (and that of others) was sent."""

    def sent():
        with worker.lock:
            return next((d for d in worker.received if d["run_id"] == run), None)

    dispatch = wait_until(sent, 30, "the run's dispatch")
    worker.start(dispatch)
    worker.finish(dispatch)
    return pool.final(run)["state"]


def others_pass(pool, worker):
    assert work_off(pool, worker, pool.trigger()) == "passed"


def test_a_run_whose_dispatch_is_refused_as_data_ends_and_stops_nobody(pool):
    run = pool.trigger()
    pool.waits_for(run, "no_worker")
    refuse(pool.db, "scheduling.task", "INSERT", run)

    worker = pool.ready_worker()
    state = pool.final(run)

    assert (state["state"], state["reason"]) == ("errored", "internal_error")
    assert "22021" in state["reason_detail"]
    events = pool.db.query(
        "SELECT type, data FROM scheduling.run_event WHERE run_id = %s ORDER BY version", run
    )
    assert [event["type"] for event in events] == ["run.queued", "run.finished"]
    assert events[-1]["data"]["reason"] == "internal_error"
    assert pool.totals(run)["closed"]
    others_pass(pool, worker)
    assert pool.db.value("SELECT count(*) FROM scheduling.dead_letter") == 0


def test_a_run_of_the_past_that_is_refused_hides_none_behind_it(pool):
    pool.verdict.stop("scheduler")
    runs = [uuid_v7(time.time() - 1200 + i) for i in range(3)]  # hints for these were never sent
    for run in runs:
        pool.db.query("UPDATE api.run SET id = %s WHERE id = %s", run, pool.trigger())
    refuse(pool.db, "scheduling.run_state", "INSERT", runs[0])

    pool.verdict.start("scheduler")

    for run in runs[1:]:
        pool.waits_for(run, "no_worker")


def test_a_run_that_is_refused_when_it_starts_ends_and_its_worker_is_told(pool):
    worker = pool.ready_worker()
    run = pool.trigger()
    dispatch = worker.next_dispatch()
    refuse(pool.db, "scheduling.run_state", "UPDATE", run, "AND NEW.state = 'running'")

    worker.start(dispatch)
    state = pool.final(run)

    assert (state["state"], state["reason"]) == ("errored", "internal_error")
    assert pool.tasks(run)[0]["state"] == "done"
    wait_until(
        lambda: worker.syncs and dispatch["dispatch_id"] not in worker.syncs[-1]["running"],
        15,
        "the worker to be told that it should not run it",
    )
    with worker.lock:
        worker.held.clear()
    worker.heartbeat()
    others_pass(pool, worker)


def test_a_run_that_cannot_be_read_ends_and_stops_nobody(pool):
    run = pool.trigger()
    pool.waits_for(run, "no_worker")
    pool.verdict.stop("scheduler")
    pool.db.query(
        """UPDATE api.run SET policy = jsonb_set(policy, '{attempts}', '-7') WHERE id = %s""", run
    )
    pool.verdict.start("scheduler")
    worker = pool.ready_worker()

    state = pool.final(run)

    assert (state["state"], state["reason"]) == ("errored", "internal_error")
    assert "attempts" in state["reason_detail"]
    others_pass(pool, worker)


def test_a_run_that_cannot_be_adopted_stops_nobody_and_is_ended_when_it_can_be(pool):
    worker = pool.ready_worker()
    pool.verdict.stop("scheduler")
    runs = [pool.trigger() for _ in range(3)]
    refuse(pool.db, "scheduling.run_state", "INSERT", runs[1])

    pool.verdict.start("scheduler")

    assert work_off(pool, worker, runs[0]) == "passed"
    assert work_off(pool, worker, runs[2]) == "passed"
    assert pool.state(runs[1]) is None
    others_pass(pool, worker)
    pool.db.query("DROP TRIGGER refuse ON scheduling.run_state")
    pool.verdict.restart("scheduler")
    assert work_off(pool, worker, runs[1]) == "passed"


FOUR = ["api-ingest", "scheduler", "result-collector", "notifier"]


def say_twice(services):
    for service in services:
        service.signal(signal.SIGTERM)
    for service in services:
        stopping = lambda s=service: '"stopping"' in s.log_tail(50)  # noqa: E731
        wait_until(stopping, 15, f"{service.name} to begin to stop")
        service.signal(signal.SIGTERM)


AWAY = [pytest.param(kind, marks=pytest.mark.own(kind)) for kind in ("kafka", "postgres")]


@pytest.mark.parametrize("away", AWAY)
def test_a_second_signal_ends_a_service_whatever_it_waits_for(private_verdict, away):
    services = [private_verdict.start(name) for name in FOUR]
    server = getattr(private_verdict.servers, away)
    server.signal(signal.SIGSTOP)
    try:
        say_twice(services)
        gone = lambda: not any(service.is_running() for service in services)  # noqa: E731
        wait_until(gone, 2, "them to end at once")
    finally:
        server.signal(signal.SIGCONT)


@pytest.mark.own("kafka")
def test_a_stop_ends_within_its_grace_without_kafka(private_verdict):
    services = [private_verdict.start(name, VERDICT_STOP_GRACE="2s") for name in FOUR]
    private_verdict.servers.kafka.signal(signal.SIGSTOP)
    try:
        for service in services:
            service.signal(signal.SIGTERM)
        gone = lambda: not any(service.is_running() for service in services)  # noqa: E731
        wait_until(gone, 8, "them to end")
    finally:
        private_verdict.servers.kafka.signal(signal.SIGCONT)


def test_a_graceful_stop_is_a_visible_list(pool):
    service = pool.verdict.services["scheduler"]

    assert pool.verdict.stop("scheduler") == 0

    log = service.log_tail(50)
    assert log.index("decide nothing more") < log.index("deliver what was decided")


def test_an_epoch_that_comes_again_is_heard_by_workers(pool):
    """A copy of one take-over ago is put back while the scheduler is away: the next take-over makes
    the epoch that workers have seen already."""
    worker = pool.ready_worker()
    for count in range(10):
        run = pool.trigger()
        dispatch = worker.next_dispatch(count)
        worker.start(dispatch)
        worker.finish(dispatch)
        pool.final(run)
    seen = max(dispatch["seq"] for dispatch in worker.received)
    pool.verdict.stop("scheduler")
    pool.db.query("UPDATE scheduling.inbox_offset SET epoch = epoch - 1")

    pool.verdict.start("scheduler")
    run = pool.trigger()
    again = worker.next_dispatch(10)

    assert again["epoch"] == dispatch["epoch"]
    assert again["seq"] > seen, "a worker drops what is numbered below"
    worker.start(again)
    worker.finish(again)
    assert pool.final(run)["state"] == "passed"
    assert pool.tasks(run)[0]["attempt"] == 1
