# SPDX-License-Identifier: Apache-2.0
"""The result-collector on real Kafka and Postgres. The tests stand in for a worker: they send its
streams, signed by its key, and play the scheduler's part in the tables that the collector reads."""

import datetime
import json
import os
import threading
import time
import uuid

import psycopg
import psycopg.rows
import pytest
from parts.process import wait_until
from support.worker import POOL, Stream, Task, Worker, finished, log, planned, result, uuid_v7

AGGREGATES = """
    SELECT (SELECT json_agg(t ORDER BY t.run_id) FROM results.run_totals t)::text AS totals,
           (SELECT json_agg(r ORDER BY r.run_id, r.case_key, r.variant, r.try)
            FROM results.result r)::text AS results,
           (SELECT json_agg(k ORDER BY k.project_id, k.case_key) FROM results.known_case k)::text
               AS cases,
           (SELECT json_agg(l ORDER BY l.run_id, l.dispatch_id, l.seq)
            FROM results.log_chunk l)::text AS log,
           (SELECT json_agg(d ORDER BY d.dispatch_id)
            FROM results.task_record d)::text AS records"""


@pytest.fixture
def collector(verdict):
    verdict.start("result-collector", VERDICT_LOG_CHECK="500ms")
    return verdict


@pytest.fixture
def worker(verdict):
    return Worker(verdict)


def dead_letters(verdict):
    return verdict.db.query('SELECT * FROM results.dead_letter ORDER BY "offset"')


def test_a_month_without_a_partition_holds_results_up_and_throws_none_away(collector, worker):
    task = Task(collector, worker)
    month = f"{datetime.datetime.now(datetime.UTC):%Y%m}"
    collector.db.query(f"ALTER TABLE results.result DETACH PARTITION results.result_{month}")
    stream = Stream(task)

    stream.send(result("a"), finished(passed=1))
    tried = lambda: "no partition" in collector.logs()["result-collector"]  # noqa: E731
    wait_until(tried, 15, "the results to be refused")
    assert not stream.record() and not dead_letters(collector)

    collector.restart("result-collector")  # makes what is missing
    assert stream.wait()["reported"] == task.count("result") == 1
    assert not dead_letters(collector)


def test_a_stream_is_recorded_and_the_scheduler_is_told(collector, worker):
    task = Task(collector, worker)
    stream = Stream(task)
    stream.send(planned(3), log("one\n"))
    stream.send(result("a"), result("b", "failed", message="3 is not 4", trace="line 7"))
    stream.send(result("c", "skipped"), log("two\n", "stderr"), finished(passed=1, failed=1))
    record = stream.wait()

    assert record["finished"] and record["ending"] == "exited" and record["exit_status"] == 0
    assert (record["reported"], record["passed"], record["failed"]) == (3, 1, 1)
    assert record["log_bytes"] == 8
    assert task.totals() == {"planned": 3, "passed": 1, "failed": 1, "skipped": 1}
    rows = collector.db.query("SELECT * FROM results.result WHERE name = 'b'")
    assert (rows[0]["message"], rows[0]["trace"], rows[0]["status"]) == (
        "3 is not 4",
        "line 7",
        "failed",
    )
    text = "SELECT string_agg(text, '' ORDER BY seq) FROM results.log_chunk WHERE run_id = %s"
    assert collector.db.value(text, task.run) == "one\ntwo\n"

    def told():
        for message in collector.bus.read_json("scheduling"):
            if message["type"] == "task.recorded":
                return message["tasks"]
        return None

    tasks = wait_until(told, 20, "task.recorded")
    assert tasks == [{"run_id": task.run, "task_id": task.id, "dispatch_id": stream.dispatch}]
    wait_until(
        lambda: collector.db.value("SELECT count(*) FROM results.outbox") == 0, 20, "empty outbox"
    )


def test_the_whole_topic_sent_twice_more_changes_nothing(collector, worker):
    tasks = [Task(collector, worker) for _ in range(4)]
    streams = [Stream(task) for task in tasks]
    for stream in streams:
        stream.send(planned(6), *[result(f"case-{n}") for n in range(5)], log("x" * 100))
        stream.send(result("again", "failed"), result("again", "passed", **{"try": 2}), finished())
    for stream in streams:
        stream.wait()
    tasks[1].close()
    wait_counted(collector, 6)
    before = collector.db.query(AGGREGATES)
    assert tasks[0].totals() == {"planned": 6, "passed": 6}

    messages = collector.bus.read("results")
    for _ in range(2):
        for message in messages:
            headers = dict(message.headers())
            collector.bus.produce("results", message.value(), message.partition(), None, headers)
    last = Stream(Task(collector, worker))
    for partition in range(4):
        last.partition = partition
        last.send(log("behind the duplicates"), first_seq=partition + 1)
        last.wait(partition + 1)

    after = collector.db.query(
        AGGREGATES.replace("results.run_totals t)", f"results.run_totals t WHERE {other(last)})")
        .replace("results.result r)", f"results.result r WHERE {other(last)})")
        .replace("results.log_chunk l)", f"results.log_chunk l WHERE {other(last)})")
        .replace("results.task_record d)", f"results.task_record d WHERE {other(last)})")
    )
    assert after == before


def wait_counted(verdict, runs):
    counted = "SELECT sum(runs) FROM results.known_case"
    wait_until(lambda: verdict.db.value(counted) == runs, 20, f"{runs} cases in the statistics")


def other(stream):
    return f"run_id <> '{stream.task.run}'"


@pytest.mark.parametrize("ms", [-1, 0], ids=["last of a month", "first of a month"])
def test_a_result_sent_on_both_sides_of_a_months_edge_counts_once(collector, worker, ms):
    """The partition follows from the run's id, not from the time at which a result comes."""
    now = datetime.datetime.now(datetime.UTC)
    edge = (now.replace(day=1) + datetime.timedelta(days=32)).replace(
        day=1, hour=0, minute=0, second=0, microsecond=0
    )
    task = Task(collector, worker, run_id=uuid_v7(edge.timestamp() + ms / 1000))
    stream = Stream(task)
    stream.send(result("a"), result("b"), finished())
    stream.wait()
    where = "SELECT DISTINCT tableoid::regclass::text FROM results.result WHERE run_id = %s"
    before = collector.db.query(where, task.run)

    again = task.give_out()  # another attempt repeats them, in "the next month"
    again.send(result("a"), result("b"), finished())
    again.wait()

    assert task.count() == 2
    assert task.totals() == {"passed": 2}
    assert collector.db.query(where, task.run) == before
    assert len(before) == 1


def test_a_gap_waits_until_it_is_sent_again(collector, worker):
    task = Task(collector, worker)
    stream = Stream(task)
    stream.send(result("a"))
    stream.send(result("c"), finished(), first_seq=3)
    stream.send(result("b"), first_seq=2)
    stream.wait(2)
    assert not stream.record()["finished"]
    assert task.totals() == {"passed": 2}

    stream.send(result("b"), result("c"), finished(), first_seq=2)
    assert stream.wait(4)["finished"]
    assert task.totals() == {"passed": 3}


def test_a_stale_attempt_is_kept_and_never_counted(collector, worker):
    task = Task(collector, worker)
    first = Stream(task)
    first.send(result("a"))
    first.wait()
    second = task.give_out()
    first.send(result("b", "failed"), finished())
    first.wait()
    second.send(result("b"), finished())
    second.wait()

    assert task.totals() == {"passed": 2}
    assert task.count("stale_result") == 1
    assert first.record()["finished"]
    attempts = collector.db.query("SELECT name, attempt FROM results.result ORDER BY name")
    assert [(row["name"], row["attempt"]) for row in attempts] == [("a", 1), ("b", 2)]


def test_what_another_attempt_repeats_is_absorbed_and_still_advances(collector, worker):
    """Counting rows would wait for ever for the ones that were absorbed."""
    task = Task(collector, worker)
    first = Stream(task)
    first.send(planned(2), result("a", "failed"))
    first.wait()
    second = task.give_out()
    second.send(planned(2), result("a"), result("b"), finished(passed=2))
    record = second.wait()

    assert record["finished"] and record["reported"] == 2
    assert task.totals() == {"planned": 2, "failed": 1, "passed": 1}


def test_results_after_the_verdict_are_late(collector, worker):
    task = Task(collector, worker, planned=2)
    stream = Stream(task)
    stream.send(result("a"))
    stream.wait()
    task.close()
    stream.send(result("b"), finished())
    stream.wait()

    assert task.totals() == {"planned": 2, "passed": 1, "closed": True}
    assert task.count("late_result") == 1
    assert task.count() == 1


def test_closed_runs_are_counted_into_the_statistics_once(collector, worker):
    for duration_ms, d_status in ((100, "skipped"), (200, "passed")):
        task = Task(collector, worker)
        task.db.query("UPDATE results.run_totals SET project_id = %s", POOL)
        stream = Stream(task)
        stream.send(result("a", duration_ms=duration_ms), result("b", "skipped", duration_ms=0))
        stream.send(result("c", "failed"), result("c", **{"try": 2}))
        stream.send(result("d", d_status, duration_ms=duration_ms), finished())
        stream.wait()
        task.close()
        left = "SELECT count(*) FROM results.run_totals WHERE NOT in_statistics"
        wait_until(lambda sql=left: collector.db.value(sql) == 0, 20, "it to be counted")

    rows = collector.db.query(
        "SELECT *, round(duration_ms) AS took_ms FROM results.known_case ORDER BY name"
    )
    assert [(r["name"], r["runs"], r["last_status"], r["took_ms"]) for r in rows] == [
        ("a", 2, "passed", 120),
        ("b", 2, "skipped", None),  # it never ran
        ("c", 2, "passed", 3),
        ("d", 2, "passed", 200),
    ]
    assert {str(row["last_run_id"]) for row in rows} == {task.run}


def test_a_case_that_was_not_declared_raises_planned(collector, worker):
    """Otherwise it would hide a declared one that did not run."""
    task = Task(collector, worker, planned=3, declared=("a", "b", "c"))
    stream = Stream(task)
    stream.send(result("a"), result("extra"), result("extra", **{"try": 2}), finished())
    stream.wait()

    assert task.totals() == {"planned": 4, "passed": 2}


def test_more_than_was_found_raises_planned(collector, worker):
    task = Task(collector, worker)
    stream = Stream(task)
    stream.send(result("a"), planned(1), result("b"), finished())
    stream.wait()

    assert task.totals() == {"planned": 2, "passed": 2}


def test_a_bad_result_is_an_errored_case_and_blocks_nothing(collector, worker):
    task = Task(collector, worker)
    stream = Stream(task)
    stream.send(
        result("a"),
        result("b", "splendid"),
        {"kind": "result", "body": {"name": "n" * 5000}},
        {"kind": "log", "body": {"stream": 7}},
        result("c", duration_ms=1 << 62, started_at=1 << 62),
        finished(exit_status=1 << 40),
    )
    record = stream.wait()

    assert record["finished"]
    assert task.totals() == {"passed": 2, "errored": 2}
    message = collector.db.value("SELECT message FROM results.result WHERE name = 'b'")
    assert "status" in message
    assert dead_letters(collector) == []


def test_who_claims_the_dispatch_of_another_in_the_same_batch_changes_nothing(verdict, worker):
    task = Task(verdict, worker)
    stream = Stream(task)
    other_worker = Worker(verdict)
    forged = {**stream.head, "worker_id": other_worker.id, "first_seq": 1}
    items = {"items": [result("forged"), finished()]}
    other_worker.send_bytes(json.dumps({**forged, **items}).encode(), stream.partition)
    stream.send(result("a"), finished())
    verdict.start("result-collector")
    stream.wait()

    assert task.totals() == {"passed": 1}
    assert [row["error"].split()[0] for row in dead_letters(verdict)] == ["dispatch_id"]


def test_poison_becomes_dead_letters_and_blocks_nothing(collector, worker):
    task = Task(collector, worker)
    stream = Stream(task)
    other_worker = Worker(collector)
    good = json.dumps({**stream.head, "first_seq": 1, "items": [result("forged")]}).encode()
    partition = stream.partition
    poison = [
        (b"\xff\xfe\x00", None),
        (b"[" * 1000, None),
        (b'{"version": 1, "type": "no.such.type"}', None),
        (b'{"version": 1, "type": "task.stream", "worker_id": 7}', None),
        (good, os.urandom(32)),
        (json.dumps({**stream.head, "first_seq": 1, "items": []}).encode(), None),
    ]
    for payload, mac in poison:
        worker.send_bytes(payload, partition, mac)
    collector.bus.produce("results", good, partition)  # nobody's
    other_worker.send_bytes(good, partition)  # says that it is somebody else
    forged = {**stream.head, "worker_id": other_worker.id, "first_seq": 1, "items": [log("x")]}
    other_worker.send_bytes(json.dumps(forged).encode(), partition)  # not its dispatch
    stream.send(result("a"), finished())
    stream.wait()

    assert task.totals() == {"passed": 1}
    assert len(dead_letters(collector)) == len(poison) + 3


def test_a_revoked_worker_is_not_listened_to(collector, worker):
    task = Task(collector, worker)
    stream = Stream(task)
    collector.db.query("UPDATE api.enrolment SET revoked_at = now()")
    stream.send(result("a"))
    wait_until(lambda: dead_letters(collector), 20, "the dead letter")
    assert task.totals() == {}


def test_what_an_unknown_dispatch_brings_is_stale(collector, worker):
    """As after an older database was put back: the scheduler does not know what it gave out."""
    task = Task(collector, worker)
    stream = Stream(task)
    collector.db.query("DELETE FROM scheduling.dispatch")
    collector.db.query("DELETE FROM scheduling.task")
    stream.send(result("a"), log("x"), finished())
    assert stream.wait()["finished"]
    assert task.totals() == {}
    assert task.count("stale_result") == 1


def test_a_run_older_than_what_is_kept_is_late(collector, worker):
    for run_id in (uuid_v7(time.time() - 400 * 86400), uuid_v7(time.time() + 400 * 86400)):
        task = Task(collector, worker, run_id=run_id)
        stream = Stream(task)
        stream.send(result("a"), log("x"), finished())
        assert stream.wait()["finished"]
        assert task.totals() == {}
        assert task.count("late_result") == 1


def test_a_run_that_is_open_for_longer_than_what_is_kept_counts(verdict, worker):
    verdict.start("result-collector")  # there was one in that month, too
    verdict.stop("result-collector")
    task = Task(verdict, worker, run_id=uuid_v7(time.time() - 40 * 86400))
    verdict.start("result-collector", VERDICT_RETENTION="1d")
    stream = Stream(task)
    stream.send(result("a"), log("x"))
    stream.wait()
    assert (task.totals(), task.count("log_chunk")) == ({"passed": 1}, 1)

    task.close()
    stream.send(result("b"), log("y"), finished())
    assert stream.wait()["finished"]
    assert (task.count(), task.count("late_result"), task.count("log_chunk")) == (1, 1, 1)
    assert not dead_letters(verdict)


def test_what_comes_of_a_run_that_was_removed_is_late(verdict, worker):
    verdict.start("result-collector", VERDICT_RETENTION="1d")
    task = Task(verdict, worker, run_id=uuid_v7(time.time() - 2 * 86400))
    stream = Stream(task)
    for table in ("api.run", "scheduling.task", "scheduling.dispatch", "results.run_totals"):
        column = {"api.run": "id"}.get(table, "run_id")
        verdict.db.query(f"DELETE FROM {table} WHERE {column} = %s", task.run)
    stream.send(result("a"), log("x"), finished())
    assert stream.wait()["finished"]
    assert task.count("late_result") == 1
    assert task.count("stale_result") == task.count("result") == task.count("run_totals") == 0
    assert not dead_letters(verdict)


def test_what_comes_of_a_run_that_somebody_removed_is_not_kept(collector, worker):
    task, other = Task(collector, worker), Task(collector, worker)
    stream, behind = Stream(task), Stream(other)
    for table in ("scheduling.task", "scheduling.dispatch", "results.run_totals"):
        collector.db.query(f"DELETE FROM {table} WHERE run_id = %s", task.run)
    collector.db.query("DELETE FROM api.run WHERE id = %s", task.run)
    note = "INSERT INTO api.removed_run (run_id, emptied_at) VALUES (%s, now())"
    collector.db.query(note, task.run)
    behind.partition = stream.partition

    stream.send(result("a"), log("x"), finished())
    behind.send(result("b"), finished())

    assert behind.wait(timeout_s=60)["finished"]
    tables = ("late_result", "stale_result", "result", "log_chunk", "task_record")
    assert {task.count(table) for table in tables} == {0}
    assert not dead_letters(collector)


def test_kill_9_at_any_moment_loses_and_doubles_nothing(collector, worker):
    tasks = [Task(collector, worker) for _ in range(10)]
    streams = [Stream(task) for task in tasks]
    killed = 0
    for round_number in range(10):
        for stream in streams:
            first = round_number * 20
            stream.send(*[result(f"case-{first + n}") for n in range(20)])
        if round_number % 3 == 1:
            collector.kill("result-collector")
            collector.start("result-collector", wait=False)
            killed += 1
    for stream in streams:
        stream.send(finished(passed=200))
    for stream in streams:
        stream.wait(timeout_s=60)

    assert killed == 3
    assert all(task.totals() == {"passed": 200} for task in tasks)
    assert all(task.count() == 200 for task in tasks)
    for task in tasks:
        task.close()
    wait_counted(collector, 10 * 200)


def test_a_bump_while_results_arrive_lets_nothing_slip_in_between(collector, worker):
    """The scheduler locks the task, bumps it, and reads the remaining cases in a later statement.
    What is not in what it reads then must never be counted by the old attempt."""
    names = [f"case-{n}" for n in range(400)]
    for _ in range(5):
        task = Task(collector, worker)
        stream = Stream(task)
        sender = threading.Thread(
            target=lambda s=stream: [
                s.send(*map(result, names[i : i + 8])) for i in range(0, 400, 8)
            ]
        )
        sender.start()
        stream.wait(8)
        remaining = bump(task, names)
        sender.join()
        stream.wait()
        second = Stream(task)
        second.send(*[result(name) for name in remaining], finished())
        second.wait()

        recorded = collector.db.query(
            "SELECT name, attempt FROM results.result WHERE run_id = %s", task.run
        )
        of_first = {row["name"] for row in recorded if row["attempt"] == 1}
        assert of_first == set(names) - set(remaining)
        assert task.totals() == {"passed": 400}


def bump(task, names):
    """As the scheduler does: one transaction, the remaining cases read after the lock."""
    with (
        psycopg.connect(task.db.url, row_factory=psycopg.rows.dict_row) as connection,
        connection.cursor() as cursor,
    ):
        cursor.execute("SELECT FROM scheduling.task WHERE id = %s FOR UPDATE", (task.id,))
        task.attempt += 1
        task.dispatch = str(uuid.uuid4())
        cursor.execute(
            """INSERT INTO scheduling.dispatch
                   (id, task_id, run_id, attempt, worker_id, results_partition)
               VALUES (%s, %s, %s, %s, %s, %s)""",
            (task.dispatch, task.id, task.run, task.attempt, task.worker.id, task.partition),
        )
        cursor.execute(
            "UPDATE scheduling.task SET attempt = %s, dispatch_id = %s WHERE id = %s",
            (task.attempt, task.dispatch, task.id),
        )
        cursor.execute("SELECT name FROM results.result WHERE run_id = %s", (task.run,))
        done = {row["name"] for row in cursor.fetchall()}
    return [name for name in names if name not in done]


def test_a_topic_made_again_asks_workers_to_send_again(collector, worker):
    task = Task(collector, worker)
    stream = Stream(task)
    stream.send(result("a"), result("b"))
    stream.wait()
    collector.bus.make_again("results")

    def asked():
        return [m for m in collector.bus.read_json("scheduling") if m["type"] == "resync"]

    messages = wait_until(asked, 60, "resync")
    wait_until(
        lambda: len(asked()) >= collector.bus.partitions("scheduling"), 20, "one a partition"
    )
    assert messages[0]["token"] and messages[0]["topic"].endswith(".results")
    stream.send(result("a"), result("b"), result("c"), finished(), first_seq=1)
    assert stream.wait(timeout_s=60)["finished"]
    assert task.totals() == {"passed": 3}


def test_progress_is_told_at_most_once_a_second(collector, worker):
    task = Task(collector, worker, planned=30)
    stream = Stream(task)
    for n in range(30):
        stream.send(result(f"case-{n}"))
    stream.wait()

    def last_told():
        events = [
            m
            for m in collector.bus.read_json("events")
            if m["event"] == "run.progress" and m["run_id"] == task.run
        ]
        return events if events and events[-1]["data"]["totals"]["passed"] == 30 else None

    events = wait_until(last_told, 20, "the last progress")
    assert events[-1]["data"]["totals"]["not_run"] == 0
    assert events[-1]["data"]["totals"]["planned"] == 30
    gaps = [b["at"] - a["at"] for a, b in zip(events, events[1:], strict=False)]
    assert all(gap >= 990 for gap in gaps), gaps


def test_months_are_made_ahead_and_dropped_when_they_are_old(verdict, worker):
    names = "SELECT relname FROM pg_class WHERE relname ~ '^result_[0-9]{6}$' ORDER BY 1"
    verdict.start("result-collector")
    before = [row["relname"] for row in verdict.db.query(names)]
    assert len(before) >= 3 + 1 + 3

    verdict.stop("result-collector")
    old = Task(verdict, worker, run_id=uuid_v7(time.time() - 80 * 86400))
    verdict.start("result-collector")
    stream = Stream(old)
    stream.send(result("a"), log("x"), finished())
    stream.wait()
    assert old.count() == 1
    verdict.stop("result-collector")
    old.close()
    verdict.start("result-collector", VERDICT_RETENTION="20d")
    assert old.count() == 1, "its run is still there"
    verdict.stop("result-collector")
    verdict.db.query("DELETE FROM api.run WHERE id = %s", old.run)  # as api-ingest does
    verdict.start("result-collector", VERDICT_RETENTION="20d")
    left = lambda: [row["relname"] for row in verdict.db.query(names)]  # noqa: E731
    wait_until(lambda: len(left()) < len(before), 20, "old months to go")
    assert left() == before[-len(left()) :]
    assert old.count() == 0


def close_large_run(task, cases):
    """All its results at once, as if they had come one by one."""
    task.db.query(
        """INSERT INTO results.result (run_id, case_key, task_id, attempt, dispatch_id, seq, status,
                                       name, duration_ms)
           SELECT %s, decode(md5(n::text), 'hex'), %s, 1, %s, n, 'passed', 'case-' || n, 1
           FROM generate_series(1, %s) AS n""",
        task.run,
        task.id,
        task.dispatch,
        cases,
    )
    change = "UPDATE results.run_totals SET passed = %s, planned = %s WHERE run_id = %s"
    task.db.query(change, cases, cases, task.run)
    task.close()


def test_statistics_of_a_large_run_let_results_go_on_and_count_each_case_once(collector, worker):
    cases = 50000
    large, other_task = Task(collector, worker), Task(collector, worker)
    stream = Stream(other_task)
    known = "SELECT count(*) FROM results.known_case WHERE project_id = %s"
    counted = lambda: collector.db.value(known, large.project)  # noqa: E731
    stream.send(result("first"))
    stream.wait()

    close_large_run(large, cases)
    wait_until(counted, 20, "the first part of the statistics")
    stream.send(result("meanwhile"))
    stream.wait()
    assert counted() < cases, "results have waited for all of the statistics"
    collector.kill("result-collector")
    assert 0 < counted() < cases
    collector.start("result-collector")

    wait_until(lambda: counted() == cases, 60, "all of the statistics")
    done = "SELECT in_statistics FROM results.run_totals WHERE run_id = %s"
    wait_until(lambda: collector.db.value(done, large.run), 10, "the run to be counted")
    runs = "SELECT DISTINCT runs FROM results.known_case WHERE project_id = %s"
    assert [row["runs"] for row in collector.db.query(runs, large.project)] == [1]
    stream.send(finished())
    stream.wait()
    assert other_task.totals() == {"passed": 2}


def test_output_without_end_is_cut(collector, worker):
    task = Task(collector, worker)
    stream = Stream(task)
    chunk = "x" * (32 * 1024)
    for _ in range(8):
        stream.send(*[log(chunk)] * 20)
    stream.send(finished())
    record = stream.wait()

    assert record["log_truncated"]
    assert 4 << 20 <= record["log_bytes"] < 5 << 20
