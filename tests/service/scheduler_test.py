# SPDX-License-Identifier: Apache-2.0
"""The scheduler on real parts: who is given what, in which order, and what a lost worker costs."""

import uuid

from parts.process import wait_until
from support.pool import declared, finished, result


def test_a_run_goes_to_a_free_slot_at_once_and_is_told_in_order(pool):
    worker = pool.ready_worker()

    run = pool.trigger(build_version="1.2", branch="main")
    dispatch = worker.next_dispatch()
    worker.start(dispatch)
    pool.reaches(run, "running")
    worker.finish(dispatch, ["a", "b"])
    state = pool.final(run)

    assert (state["state"], state["reason"], state["version"]) == ("passed", None, 3)
    assert dispatch["build_version"] == "1.2"
    assert dispatch["run_url"].endswith(run)
    totals = pool.totals(run)
    assert (totals["planned"], totals["passed"], totals["closed"]) == (2, 2, True)
    events = pool.db.query(
        "SELECT version, type, data FROM scheduling.run_event WHERE run_id = %s ORDER BY version",
        run,
    )
    assert [(e["version"], e["type"]) for e in events] == [
        (1, "run.queued"),
        (2, "run.started"),
        (3, "run.finished"),
    ]
    assert events[-1]["data"]["totals"]["not_run"] == 0

    def told():
        found = [m for m in pool.verdict.bus.read_json("events") if m.get("run_id") == run]
        names = [m["event"] for m in found if m["event"] != "run.progress"]
        return names if len(names) >= 3 else None

    names = wait_until(told, 15, "what the world is told")
    assert names == ["run.queued", "run.started", "run.finished"]
    wait_until(lambda: not worker.held, 15, "the spool to be settled")


def test_a_dispatch_that_nobody_acknowledges_is_sent_three_times_then_anew(pool):
    worker = pool.ready_worker(accepts=False)

    pool.trigger()
    fourth = worker.next_dispatch(3, 30)

    same = [d["dispatch_id"] for d in worker.received[:3]]
    assert len(set(same)) == 1
    assert fourth["dispatch_id"] not in same
    assert fourth["attempt"] == 2
    assert [d["seq"] for d in worker.received] == sorted({d["seq"] for d in worker.received})


def test_a_slot_is_given_once(pool):
    worker = pool.ready_worker()
    worker.accepts = False  # says nothing of what it was sent, so its announced slot is old news

    first, second = pool.trigger(), pool.trigger()
    dispatch = worker.next_dispatch()
    with worker.lock:
        worker.beats = False
        worker.start(dispatch)
    pool.reaches(first, "running")
    worker.heartbeat()
    text = pool.waits_for(second, "busy")

    assert "busy" in text
    assert len({d["dispatch_id"] for d in worker.received}) == 1
    worker.beats = True


def test_a_lost_worker_s_remaining_cases_go_to_another_and_its_late_ones_do_not_count(pool):
    first = pool.ready_worker("first")
    run = pool.trigger(suite=declared("test_a", "test_b", "test_c"))
    dispatch = first.next_dispatch()
    first.start(dispatch)
    keys = {c["selector"].split("::")[1]: c["key"] for c in dispatch["cases"]}
    item = result("test_a")
    item["body"]["key"] = keys["test_a"]
    first.stream(dispatch, [item])
    wait_until(lambda: pool.totals(run)["passed"] == 1, 15, "the first result to be recorded")

    first.beats = False
    second = pool.ready_worker("second")
    again = second.next_dispatch(0, 30)
    left = [c["selector"].split("::")[1] for c in again["cases"]]
    second.start(again)
    late = result("test_b", "failed")
    late["body"]["key"] = keys["test_b"]
    first.stream(dispatch, [late], 2)
    items = [result(name) for name in left]
    for one in items:
        one["body"]["key"] = keys[one["body"]["name"]]
    second.stream(again, [*items, finished(passed=2)])
    state = pool.final(run)

    assert left == ["test_b", "test_c"]
    assert again["attempt"] == 2
    assert state["state"] == "passed"
    totals = pool.totals(run)
    assert (totals["planned"], totals["passed"], totals["failed"]) == (3, 3, 0)
    ended = pool.db.query(
        "SELECT ended, started FROM scheduling.dispatch WHERE run_id = %s ORDER BY attempt", run
    )
    assert [(d["ended"], d["started"]) for d in ended] == [("lost", True), ("recorded", True)]


def test_cases_are_cut_by_how_long_they_took_the_longest_first(pool):
    """One of six takes as long as all others: the next run gives it a task of its own."""
    took_ms = {**dict.fromkeys((f"test_{n}" for n in "abcdef"), 600), "test_c": 3000}
    worker = pool.ready_worker(slots=2)
    run = pool.trigger(suite=declared(*took_ms))
    dispatch = worker.next_dispatch()
    worker.start(dispatch)
    items = [result(name, duration_ms=ms) for name, ms in took_ms.items()]
    for one, case in zip(items, dispatch["cases"], strict=True):
        one["body"]["key"] = case["key"]
    worker.stream(dispatch, [*items, finished(passed=6)])
    pool.final(run)
    known = "SELECT count(*) FROM results.known_case"
    wait_until(lambda: pool.db.value(known) == 6, 15, "the durations to be counted")

    pool.trigger(suite={**declared(*took_ms), "max_tasks": 2})
    longest, rest = worker.next_dispatch(1), worker.next_dispatch(2)

    names = [[c["selector"].split("::")[1] for c in d["cases"]] for d in (longest, rest)]
    assert names == [["test_c"], ["test_a", "test_b", "test_d", "test_e", "test_f"]]
    assert (longest["task_index"], rest["task_index"]) == (0, 1)


def test_a_case_that_was_only_skipped_counts_like_a_new_one(pool):
    """Two of ten have run: the others are as long as they are, not of no length."""
    names = [f"test_{n}" for n in "abcdefghij"]
    worker = pool.ready_worker(slots=2)
    run = pool.trigger(suite=declared(*names))
    dispatch = worker.next_dispatch()
    worker.start(dispatch)
    ran = [result(name, duration_ms=1000) for name in names[:2]]
    items = ran + [result(name, "skipped", duration_ms=0) for name in names[2:]]
    for one, case in zip(items, dispatch["cases"], strict=True):
        one["body"]["key"] = case["key"]
    worker.stream(dispatch, [*items, finished(passed=2, skipped=8)])
    pool.final(run)
    known = "SELECT count(*) FROM results.known_case"
    wait_until(lambda: pool.db.value(known) == 10, 15, "the durations to be counted")

    pool.trigger(suite={**declared(*names), "max_tasks": 2})
    pieces = [worker.next_dispatch(1), worker.next_dispatch(2)]

    assert [len(piece["cases"]) for piece in pieces] == [5, 5]


def test_a_task_that_two_workers_were_lost_with_is_poison(pool):
    workers = [pool.ready_worker("first")]
    run = pool.trigger()
    for name in ("second", "third"):
        dispatch = workers[-1].next_dispatch(0, 30)
        workers[-1].start(dispatch)
        wait_until(lambda: pool.tasks(run)[0]["state"] == "running", 15, "the task to run")
        workers[-1].beats = False
        workers.append(pool.ready_worker(name))

    state = pool.final(run)

    assert (state["state"], state["reason"]) == ("errored", "worker_lost")


def test_losses_without_end_are_results_lost(pool):
    worker = pool.ready_worker()
    run = pool.trigger(policy={"attempts": 1})
    dispatch = worker.next_dispatch()
    worker.start(dispatch)
    pool.reaches(run, "running")

    with worker.lock:
        worker.held.clear()
    state = pool.final(run)

    assert (state["state"], state["reason"]) == ("errored", "results_lost")
    assert pool.totals(run)["closed"]


def test_what_a_worker_does_not_list_any_more_is_given_out_anew(pool):
    worker = pool.ready_worker()
    pool.trigger()
    dispatch = worker.next_dispatch()
    worker.start(dispatch)

    with worker.lock:
        worker.held.clear()
    again = worker.next_dispatch(1)

    assert again["attempt"] == 2
    assert again["dispatch_id"] != dispatch["dispatch_id"]


def test_a_worker_started_anew_has_lost_what_it_does_not_list(pool):
    worker = pool.ready_worker()
    run = pool.trigger()
    worker.next_dispatch()
    worker.close()

    reborn = pool.worker("one", saved=worker)
    dispatch = reborn.next_dispatch()

    assert dispatch["attempt"] == 2
    assert dispatch["incarnation"] == 2
    assert pool.tasks(run)[0]["losses_started"] == 0


def test_a_hand_back_is_no_loss(pool):
    worker = pool.ready_worker()
    run = pool.trigger(policy={"attempts": 1})
    dispatch = worker.next_dispatch()

    worker.finish(dispatch, [], ending="handed_back", report="none_expected")
    again = worker.next_dispatch(1)
    worker.start(again)
    worker.finish(again)

    assert pool.final(run)["state"] == "passed"
    assert pool.tasks(run)[0]["losses_started"] == 0


def test_a_dispatch_that_its_worker_killed_unasked_is_not_a_cancelled_run(pool):
    worker = pool.ready_worker()
    run = pool.trigger()
    dispatch = worker.next_dispatch()
    worker.start(dispatch)

    worker.finish(dispatch, [], ending="cancelled", report="missing")
    again = worker.next_dispatch(1)
    worker.start(again)
    worker.finish(again)

    assert pool.final(run)["state"] == "passed"


def test_when_most_of_a_pool_falls_silent_at_once_nobody_is_lost(pool):
    workers = [pool.ready_worker(f"worker-{i}") for i in range(4)]
    runs = [pool.trigger() for _ in workers]
    for worker in workers:
        worker.start(worker.next_dispatch())
    for run in runs:
        pool.reaches(run, "running")

    for worker in workers:
        worker.beats = False
    waiting = pool.trigger()
    pool.waits_for(waiting, "workers_silent")
    lost = "SELECT min(s.silent) > interval '6 seconds' FROM (SELECT now() - last_heartbeat_at AS "
    lost += "silent FROM scheduling.worker) s"
    wait_until(lambda: pool.db.value(lost), 30, "the time after which workers are lost")
    for worker in workers:
        worker.beats = True
        worker.finish(worker.received[0])

    for run in runs:
        assert pool.final(run)["state"] == "passed"
        assert pool.tasks(run)[0]["attempt"] == 1


def test_texts_are_cut_between_characters(pool):
    """Half a character would be refused by Postgres, again and again, and hold up the partition."""
    worker = pool.ready_worker()
    run = pool.trigger()
    dispatch = worker.next_dispatch()
    worker.start(dispatch)
    worker.finish(dispatch, names=(), ending="source_failed", detail="x" + "ü" * 198)
    waiting = [
        pool.trigger(requirements=["l" * length + "=" + "ü" * 127], suite={"slug": f"long{length}"})
        for length in (50, 51)
    ]

    final = pool.final(run)
    texts = [pool.waits_for(one, "no_capable_worker") for one in waiting]

    assert (final["state"], final["reason"]) == ("errored", "source_failed")
    assert final["reason_detail"].startswith("xüü")
    assert all("ü" in text for text in texts)
    assert pool.db.value("SELECT count(*) FROM scheduling.dead_letter") == 0


def test_why_says_what_a_run_waits_for(pool):
    policy = {"queue_timeout_ms": 600000}
    run = pool.trigger(policy=policy, requirements=["gpu=cuda"])
    alone = pool.waits_for(run, "no_worker")
    worker = pool.ready_worker(labels={"gpu": "none"})
    incapable = pool.waits_for(run, "no_capable_worker")
    busy = pool.trigger(policy=policy)
    worker.start(worker.next_dispatch())
    behind = pool.trigger(policy=policy)
    full = pool.waits_for(behind, "busy")
    running = pool.waits_for(busy, "tests")

    assert "no worker" in alone
    assert "gpu=cuda" in incapable
    assert "busy" in full
    assert "running" in running


def test_priority_goes_first_then_the_project_that_has_less(pool):
    pool.verdict.api.put("/v1/projects/other", {"title": "Other"})
    worker = pool.ready_worker()
    first = pool.trigger()
    dispatch = worker.next_dispatch()
    worker.start(dispatch)
    same = pool.trigger()
    second_slot = pool.trigger(project="other")
    urgent = pool.trigger(priority=90)
    for run in (same, second_slot, urgent):
        pool.waits_for(run, "busy")

    worker.slots = 3
    worker.heartbeat()
    order = [worker.next_dispatch(i)["run_id"] for i in range(3)]

    assert order == [first, urgent, second_slot]


def test_a_worker_speaks_for_itself_and_its_pool_alone(pool):
    worker = pool.ready_worker()
    count = "SELECT count(*) FROM scheduling.dead_letter"

    worker.heartbeat(mac=b"0" * 32)
    worker.heartbeat(pool_id=str(uuid.uuid4()))
    worker.heartbeat(worker_id=str(uuid.uuid4()))

    wait_until(lambda: pool.db.value(count) == 3, 15, "three dead letters")
    run = pool.trigger()
    assert worker.next_dispatch()["run_id"] == run


def test_a_run_is_cut_into_no_more_tasks_than_it_may_have(pool):
    pool.verdict.stop("scheduler")
    workers = [pool.worker(f"wide-{i}", slots=256) for i in range(4)]
    patient = {"VERDICT_WORKER_SUSPECT": "100s", "VERDICT_WORKER_LOST": "200s"}
    pool.verdict.start("scheduler", **patient)
    # Answered, so heard of by whoever plans; the row of an earlier owner would not say that.
    wait_until(lambda: all(worker.syncs for worker in workers), 30, "all workers to be heard")

    run = pool.trigger(suite={"framework": "pytest", "cases": [f"t.py::t{i}" for i in range(1100)]})

    wait_until(lambda: pool.tasks(run), 30, "the run to be planned")
    assert len(pool.tasks(run)) == 1000
