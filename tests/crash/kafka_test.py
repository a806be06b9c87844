# SPDX-License-Identifier: Apache-2.0
"""P6, P8c, P13, P14: a broker that stops or crashes, topics made again, poison, and duplicates."""

import random
import re
import signal
import threading

import pytest
from parts.process import wait_until
from support.size import size

FINAL_RUNS = "SELECT count(*) FROM scheduling.run_state WHERE finished_at IS NOT NULL"
ATTEMPTS = "SELECT max(attempt) FROM scheduling.task"
AGGREGATES = """
    SELECT run_id, planned, passed, failed, errored, skipped, blocked, closed,
           (SELECT count(*) FROM results.result r WHERE r.run_id = t.run_id) AS results,
           (SELECT string_agg(name || status, ',' ORDER BY name) FROM results.result r
            WHERE r.run_id = t.run_id) AS statuses,
           (SELECT row(state, reason, finished_at)::text FROM scheduling.run_state s
            WHERE s.run_id = t.run_id) AS verdict
    FROM results.run_totals t ORDER BY run_id"""
DEAD_LETTERS = """SELECT (SELECT count(*) FROM scheduling.dead_letter)
                       + (SELECT count(*) FROM results.dead_letter)
                       + (SELECT count(*) FROM notify.dead_letter)"""
# An outage is no silence of workers: with these, losing one would show.
PATIENCE = {"VERDICT_WORKER_LOST": "10s"}
POISON = {
    "random": None,  # by the test's seed
    "not JSON": b"{" * 500,
    "truncated": b'{"version":1,"type":"run.submitted","run_id":"0190',
    "of no known type": b'{"version":1,"type":"no.such.thing"}',
    "of the wrong shape": b'{"version":1,"type":"run.submitted","run_id":7,"pool_id":[]}',
    "not UTF-8": b'{"version":1,"type":"\xff\xfe"}',
    "deep": b'{"version":1,"a":' + b"[" * 2000,
}


OWNERS = {"scheduling": "scheduler", "results": "result-collector", "events": "notifier"}


def metric(verdict, service, name):
    """The sum over labels; 0 when it was never counted."""
    text = verdict.services[service].health("/metrics")[1]
    lines = [line for line in text.splitlines() if re.match(rf"{name}(\{{| )", line)]
    return sum(float(line.split()[-1]) for line in lines)


def lanes(verdict):
    return [name for name in verdict.bus.topics() if name.startswith("lanes.")]


def trigger_unfit(work, ending, **policy):
    """A run that no worker can run, and that the scheduler knows. It ends like this."""
    body = work.body(requirements=["os=none"], policy={"queue_timeout_ms": 3600000, **policy})
    run = work.verdict.api.post("/v1/runs", body, expect=201)["id"]
    work.promise(run, run, may_also={ending})
    known = "SELECT count(*) FROM scheduling.run_state WHERE run_id = %s"
    wait_until(lambda: work.verdict.db.value(known, run), 20, "the scheduler to know it")
    return run


@pytest.mark.own("kafka")
@pytest.mark.parametrize("outage_s", size([20], [5, 20, 90]))
def test_a_broker_that_stops_only_delays(private_verdict, private_work, outage_s, tell):
    work = private_work.start()
    private_verdict.start("scheduler", **PATIENCE)
    broker = private_verdict.servers.kafka
    work.suite.resize(cases=2 * outage_s, pause_ms=100)
    running = work.trigger()
    work.wait_started(running)
    due = trigger_unfit(work, ("timed_out", "run_timeout"), run_timeout_ms=12000)
    unwanted = trigger_unfit(work, ("cancelled", "cancelled"))

    broker.signal(signal.SIGSTOP)
    accepted = [work.trigger() for _ in range(5)]
    threading.Event().wait(outage_s / 2)  # the outage itself is the input of this test
    private_verdict.api.request("POST", f"/v1/runs/{unwanted}/cancel")
    threading.Event().wait(outage_s / 2)
    broker.signal(signal.SIGCONT)
    ends = [private_verdict.wait_final(run, 20)["state"] for run in (due, unwanted)]
    tell(outage_s=outage_s)
    work.wait_all_final(90)

    assert ends == ["timed_out", "cancelled"], "late by more than the outage and the take-over"
    assert len(work.started(running)) == 1, "a test that was running was run again"
    assert all(len(work.started(run)) == 1 for run in accepted)
    assert private_verdict.db.value(ATTEMPTS) == 1
    assert dict(work.checker().check(decided=6).endings) == {
        ("passed", ""): 6,
        ("timed_out", "run_timeout"): 1,
        ("cancelled", "cancelled"): 1,
    }


@pytest.mark.own("kafka")
def test_a_killed_broker_only_delays(private_verdict, private_work):
    work = private_work.start()
    private_verdict.start("scheduler", **PATIENCE)
    broker = private_verdict.servers.kafka
    client = work.client(count=30, gap_s=0.1)

    client.start()
    for _ in range(2):
        wait_until(private_verdict.open_runs, 30, "work in flight")
        broker.kill()
        broker.start()
        broker.wait_ready()
    client.finish(60)
    work.wait_all_final(90)

    assert private_verdict.db.value(ATTEMPTS) == 1, "a test that was running was run again"
    work.check()


@pytest.mark.own("kafka")
def test_services_at_rest_are_ready_again_when_the_broker_is_back(private_verdict):
    """Nothing is sent that could tell them."""
    private_verdict.start_all()
    broker = private_verdict.servers.kafka
    services = private_verdict.services
    waiting = [services["scheduler"], services["result-collector"], services["notifier"]]

    broker.kill()
    for service in waiting:
        wait_until(lambda s=service: not s.is_ready(), 40, f"{service.name} to say that it is away")
    broker.start()
    broker.wait_ready()

    for service in services.values():
        wait_until(service.is_ready, 20, f"{service.name} to be ready again")


@pytest.mark.parametrize("topic", ["scheduling", "results", "events", "lanes"])
def test_a_topic_made_again_is_noticed(verdict, work, topic):
    work.start()
    client = work.client(count=40, gap_s=0.1)
    names = lanes(verdict) if topic == "lanes" else [topic]

    client.start()
    wait_until(lambda: verdict.db.value(FINAL_RUNS) >= 5, 30, "some verdicts, with more to come")
    for name in names:
        verdict.bus.make_again(name)
    client.finish(60)
    work.wait_all_final(120)

    if topic in OWNERS:
        # Where the new log has outgrown our offset meanwhile, the check of every ten seconds tells.
        owner = verdict.services[OWNERS[topic]]
        wait_until(
            lambda: metric(verdict, OWNERS[topic], "verdict_ledger_resyncs_total") >= 1,
            30,
            "the new log to be noticed",
        )
        assert '"log changed"' in owner.log_path.read_text(), "there was no alarm"
    work.check()


def test_poison_becomes_dead_letters_and_blocks_nothing(verdict, work, seed):
    poisons = [poison or random.Random(seed).randbytes(200) for poison in POISON.values()]
    work.start()
    before = verdict.db.value(DEAD_LETTERS)
    inboxes = ["scheduling", "results", "events"]
    executors = [name for name in verdict.services if name.startswith("executor")]
    dropped = {e: metric(verdict, e, "verdict_executor_lane_dropped_total") for e in executors}
    follows = lambda: metric(verdict, "api-ingest", "verdict_live_events_followed") == 1  # noqa: E731
    wait_until(follows, 30, "api-ingest to follow the events")
    skipped = metric(verdict, "api-ingest", "verdict_live_skipped_total")

    for topic in inboxes:
        for partition in range(verdict.bus.partitions(topic)):
            for poison in poisons:
                verdict.bus.produce(topic, poison, partition)
    for topic in lanes(verdict):
        for partition in range(verdict.bus.partitions(topic)):
            for poison in poisons:
                verdict.bus.produce(topic, poison, partition)
    sent = len(POISON) * sum(verdict.bus.partitions(topic) for topic in inboxes)
    run_id = work.trigger()

    assert verdict.wait_final(run_id)["state"] == "passed"
    all_there = lambda: verdict.db.value(DEAD_LETTERS) >= before + sent  # noqa: E731
    wait_until(all_there, 30, f"{sent} dead letters")
    assert verdict.db.value(DEAD_LETTERS) == before + sent
    # Lanes and live readers have no ledger: they count and go on.
    for executor in executors:
        wait_until(
            lambda e=executor: (
                metric(verdict, e, "verdict_executor_lane_dropped_total")
                >= dropped[e] + len(POISON)
            ),
            15,
            f"{executor} to count what it dropped",
        )
    wait_until(
        lambda: metric(verdict, "api-ingest", "verdict_live_skipped_total") > skipped,
        15,
        "api-ingest to count what it skipped",
    )
    lags = {s: metric(verdict, s, "verdict_lag_records") for s in OWNERS.values()}
    assert lags == dict.fromkeys(OWNERS.values(), 0)
    work.check()


def test_a_forged_message_of_a_worker_is_refused(verdict, work):
    work.start()
    run_id = work.trigger()
    verdict.wait_final(run_id)
    stream = next(m for m in verdict.bus.read("results") if m.value())
    before = verdict.db.value(DEAD_LETTERS)
    forged = stream.value().replace(b"passed", b"failed")

    verdict.bus.produce("results", forged, stream.partition(), stream.key(), stream.headers())

    wait_until(lambda: verdict.db.value(DEAD_LETTERS) == before + 1, 30, "a dead letter")
    assert verdict.api.get(f"/v1/runs/{run_id}")["state"] == "passed"


def wait_worked_off(verdict, topic):
    """Until every partition of the topic, as long as it is now, was taken into the ledger."""
    ends = verdict.bus.ends(topic)
    schema = topic if topic == "scheduling" else "results"

    def is_taken():
        rows = verdict.db.query(f"SELECT partition, next_offset FROM {schema}.inbox_offset")
        taken = {row["partition"]: row["next_offset"] for row in rows}
        return all(taken.get(partition, 0) >= end for partition, end in ends.items())

    wait_until(is_taken, 30, f"all of {topic} to be taken")


@pytest.mark.parametrize("topic", ["results", "scheduling"])
def test_a_topic_replayed_twice_changes_nothing(verdict, work, topic):
    work.start()
    for _ in range(5):
        work.trigger()
    work.wait_all_final()
    before = verdict.db.query(AGGREGATES)
    messages = verdict.bus.read(topic)

    for _ in range(2):
        for message in messages:
            verdict.bus.produce(
                topic, message.value(), message.partition(), message.key(), message.headers()
            )
    wait_worked_off(verdict, topic)
    last = work.trigger()
    assert verdict.wait_final(last)["state"] == "passed"

    after = [row for row in verdict.db.query(AGGREGATES) if str(row["run_id"]) != last]
    assert messages
    assert after == before
    work.check()


def test_lane_messages_doubled_run_nothing_twice(verdict, work):
    work.start()
    for _ in range(3):
        work.trigger()
    work.wait_all_final()

    for topic in lanes(verdict):
        for message in verdict.bus.read(topic):
            verdict.bus.produce(
                topic, message.value(), message.partition(), message.key(), message.headers()
            )
    last = work.trigger()
    assert verdict.wait_final(last)["state"] == "passed"

    assert all(len(work.started(run)) == 1 for run in work.promised.values())
    work.check()
