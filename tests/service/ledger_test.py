# SPDX-License-Identifier: Apache-2.0
"""The exactly-once stage on real Kafka and Postgres, through the smallest service that uses it
(probe/ledger_probe.c): its messages say what its handler does."""

import contextlib
import pathlib
import signal

import psycopg
import pytest
from parts.process import wait_until
from parts.services import TOP, Service, role_url
from support import SUITE

PROBE = TOP / "build" / "probe" / "ledger_probe"
PARTITIONS = 4


class Probe:
    """Instances of the probe, the topic that they read and what they have counted."""

    def __init__(self, verdict):
        self.verdict = verdict
        self.services = {}
        self.sent = set()
        for statement in (
            "CREATE SCHEMA probe",
            "CREATE TABLE probe.seen (n bigint PRIMARY KEY, epoch bigint, times int DEFAULT 1)",
            "CREATE TABLE probe.resync (partition int, epoch bigint)",
        ):
            verdict.db.query(statement)

    def start(self, name="probe-1", wait=True, **settings):
        service = self.services.get(name)
        if service is None:
            settings = {
                **self.verdict.settings,
                "VERDICT_INSTANCE_ID": name,
                "VERDICT_SESSION_TIMEOUT": "6s",
                "VERDICT_GROUP_HEARTBEAT": "200ms",
                "PROBE_LOG_CHECK": "500ms",
                **settings,
            }
            port = self.verdict._base + 10 + len(self.services)
            service = Service(self.verdict.folder, "ledger-probe", port, settings, name=name)
            service.argv = [str(PROBE)]
            self.services[name] = self.verdict.services[name] = service
        service.start()
        if wait:
            service.wait_ready()
        return service

    def count(self, first, last, partition=0, command="count"):
        for number in range(first, last + 1):
            self.verdict.bus.produce("events", f"{command} {number}", partition)
            self.sent.add(number)

    def say(self, text, partition=0):
        self.verdict.bus.produce("events", text, partition)

    def seen(self):
        rows = self.verdict.db.query("SELECT n, times FROM probe.seen")
        return {row["n"]: row["times"] for row in rows}

    def counted(self, number):
        return number in self.seen()

    def check(self, timeout_s=30):
        """Everything that was sent is counted, and once."""
        wait_until(lambda: set(self.seen()) >= self.sent, timeout_s, "all messages to be counted")
        assert self.seen() == dict.fromkeys(self.sent, 1)

    def dead_letters(self):
        return self.verdict.db.query('SELECT * FROM notify.dead_letter ORDER BY "offset"')

    def epoch(self, partition=0):
        return self.verdict.db.value(
            "SELECT epoch FROM notify.inbox_offset WHERE partition = %s", partition
        )

    def owner(self, partition=0):
        return self.verdict.db.value(
            "SELECT owner FROM notify.inbox_offset WHERE partition = %s", partition
        )


@pytest.fixture
def probe(verdict):
    return Probe(verdict)


def test_each_message_is_counted_once(probe):
    probe.start()
    for partition in range(PARTITIONS):
        probe.count(partition * 100, partition * 100 + 20, partition)
    probe.check()


def test_kill_and_restart_lose_and_double_nothing(probe):
    probe.start()
    for round_number in range(3):
        probe.count(round_number * 100, round_number * 100 + 30)
        probe.services["probe-1"].kill()
        probe.count(round_number * 100 + 31, round_number * 100 + 40)
        probe.start()
    probe.check()


def test_a_rejected_message_is_a_dead_letter_and_blocks_nothing(probe):
    probe.start()
    probe.count(1, 3)
    probe.say("reject this")
    probe.say(b"\xff\xfe\x00 no text at all")
    probe.count(4, 6)
    probe.check()
    letters = probe.dead_letters()
    assert [bytes(row["payload"]) for row in letters] == [
        b"reject this",
        b"\xff\xfe\x00 no text at all",
    ]
    assert "no command of the probe" in letters[0]["error"]
    copies = wait_until(lambda: probe.verdict.bus.read_json("dead-letters"), 20, "the copies")
    assert copies[0]["payload"] == "reject this"


def test_a_data_error_buries_its_message_alone(probe):
    """Class 22 means this message: the rest of its batch is counted, once."""
    probe.count(1, 5)
    probe.say("data")
    probe.count(6, 10)
    probe.start()
    probe.check()
    letters = probe.dead_letters()
    assert [bytes(row["payload"]) for row in letters] == [b"data"]
    assert "22012" in letters[0]["error"]


def test_a_missing_table_is_the_infrastructures_fault(probe):
    """Good messages are not thrown away: they wait, not ready with the reason until it is back."""
    service = probe.start()
    probe.count(1, 3)
    probe.say("need later")
    probe.count(4, 6)
    wait_until(lambda: "probe.later" in service.health()[1], 20, "the reason to be said")
    assert service.health()[0] == 503
    assert probe.dead_letters() == []
    probe.verdict.db.query("CREATE TABLE probe.later (n int)")
    probe.check()
    assert probe.verdict.db.value("SELECT count(*) FROM probe.later") == 1


MISSING = {
    "a grant": (
        "CREATE TABLE probe.later (n int); REVOKE ALL ON probe.later FROM verdict_notifier",
        "GRANT INSERT ON probe.later TO verdict_notifier",
        "42501",
    ),
    "a column": (
        "CREATE TABLE probe.later (); GRANT INSERT ON probe.later TO verdict_notifier",
        "ALTER TABLE probe.later ADD n int",
        "42601",  # more expressions than columns
    ),
    "a partition": (
        """CREATE TABLE probe.later (n int) PARTITION BY RANGE (n);
           GRANT INSERT ON probe.later TO verdict_notifier""",
        "CREATE TABLE probe.later_1 PARTITION OF probe.later FOR VALUES FROM (0) TO (9)",
        "23514",  # class 23, and yet not the message's doing
    ),
}


@pytest.mark.parametrize("missing", MISSING)
def test_what_is_missing_in_the_database_throws_no_message_away(probe, missing):
    """The messages wait, in their order, until an operator has mended it."""
    breaks, mends, sqlstate = MISSING[missing]
    verdict = probe.verdict
    verdict.db.query("GRANT USAGE ON SCHEMA probe TO PUBLIC")
    verdict.db.query("GRANT ALL ON ALL TABLES IN SCHEMA probe TO PUBLIC")
    for statement in breaks.split(";"):
        verdict.db.query(statement)
    service = probe.start(
        VERDICT_POSTGRES_URL=role_url(verdict.urls["VERDICT_POSTGRES_URL"], "notifier", True)
    )
    probe.count(1, 3)
    probe.say("need later")
    probe.count(4, 6)

    wait_until(lambda: sqlstate in service.health()[1], 20, "the reason to be said")
    assert service.health()[0] == 503
    assert probe.dead_letters() == []
    verdict.db.query(mends)
    probe.check()
    assert probe.dead_letters() == []
    assert verdict.db.value("SELECT count(*) FROM probe.later") == 1


def test_our_own_time_out_in_a_transaction_throws_no_message_away(probe):
    """25P03: stopped for longer than idle_in_transaction_session_timeout, nobody took over."""
    service = probe.start(VERDICT_SESSION_TIMEOUT="60s")
    probe.count(1, 3)
    probe.check()
    probe.say("stop 4")
    wait_until(lambda: is_stopped(service.pid()), 20, "the probe to stop itself")
    probe.sent.add(4)
    probe.count(5, 7)
    gone = """SELECT count(*) = 0 FROM pg_stat_activity
              WHERE state LIKE 'idle in transaction%%' AND datname = current_database()"""
    wait_until(lambda: probe.verdict.db.value(gone), 20, "Postgres to end the session")

    service.signal(signal.SIGCONT)
    wait_until(lambda: is_stopped(service.pid()), 20, "the message to be taken again")
    service.signal(signal.SIGCONT)

    probe.check()
    assert probe.dead_letters() == []


def test_a_zombie_stopped_inside_its_transaction_neither_blocks_nor_commits(probe):
    """It stops with the fence's row locked. The next owner gets in, and what the zombie had begun
    is undone when it wakes up."""
    probe.start("probe-1")
    probe.count(1, 3)
    probe.check()
    probe.say("stop 4")
    first = probe.services["probe-1"]
    wait_until(lambda: is_stopped(first.pid()), 20, "the probe to stop itself")
    epoch = probe.epoch()

    second = probe.start("probe-2", wait=False)
    wait_until(lambda: probe.epoch() > epoch, 40, "the second probe to take over")
    wait_until(lambda: is_stopped(second.pid()), 20, "the second probe to stop itself as well")
    assert not probe.counted(4)
    second.signal(signal.SIGCONT)  # within its time: this one commits
    probe.count(5, 8)
    wait_until(lambda: probe.counted(8), 40, "the second probe to go on")
    first.signal(signal.SIGCONT)
    probe.sent.add(4)
    probe.count(9, 12)
    probe.check(60)
    assert probe.verdict.db.value("SELECT epoch FROM probe.seen WHERE n = 4") > epoch


def half_a_pipeline(url, lock, name="half a pipeline"):
    """A client that has sent a part of its pipeline, locks taken, and then nothing more: no
    time-out of the server ends what it has begun."""
    zombie = psycopg.connect(url, autocommit=True, application_name=name)
    connection = zombie.pgconn
    connection.nonblocking = 1
    connection.enter_pipeline_mode()
    connection.send_query_params(b"BEGIN", None)
    connection.send_query_params(lock.encode(), None)
    connection.send_flush_request()
    while connection.flush():
        pass
    return zombie


HOLDS = """SELECT count(*) = 1 FROM pg_stat_activity WHERE application_name = 'half a pipeline'
           AND wait_event = 'ClientRead' AND backend_xid IS NOT NULL"""


def test_a_zombie_stopped_inside_its_pipeline_does_not_block(probe):
    first = probe.start("probe-1")
    probe.count(1, 3)
    probe.check()
    first.kill()
    epoch = probe.epoch()
    db = probe.verdict.db
    url = probe.verdict.settings["VERDICT_POSTGRES_URL"]
    lock = "SELECT FROM notify.inbox_offset WHERE partition = 0 FOR UPDATE"
    with contextlib.closing(half_a_pipeline(url, lock)):
        wait_until(lambda: db.value(HOLDS), 20, "the zombie to hold its lock")

        probe.start("probe-2", wait=False)

        wait_until(lambda: probe.epoch() > epoch, 60, "the second probe to take over")
        assert not db.value(HOLDS)
    probe.count(4, 6)
    probe.check()


def test_a_collector_stopped_inside_its_pipeline_does_not_block_the_scheduler(verdict):
    """Its locks are in the way of a session of another role, which may not end it by itself. Who
    stands still and is in nobody's way is left alone."""
    verdict.start("api-ingest")
    verdict.start("scheduler")
    verdict.api.put("/v1/projects/shop", {})
    run = verdict.api.post("/v1/runs", {"project": "shop", "suite": SUITE}, expect=201)["id"]
    planned = "SELECT count(*) = 1 FROM scheduling.run_state WHERE run_id = %s"
    wait_until(lambda: verdict.db.value(planned, run), 30, "the run to be planned")
    verdict.db.query(
        """INSERT INTO results.run_totals (run_id, project_id)
           SELECT id, project_id FROM api.run WHERE id = %s ON CONFLICT DO NOTHING""",
        run,
    )
    url = role_url(verdict.urls["VERDICT_POSTGRES_URL"], "result-collector", own_roles=True)
    innocent = half_a_pipeline(url, "CREATE TEMPORARY TABLE mine ()", name="in nobody's way")
    lock = f"SELECT FROM results.run_totals WHERE run_id = '{run}' FOR UPDATE"
    with contextlib.closing(innocent), contextlib.closing(half_a_pipeline(url, lock)):
        wait_until(lambda: verdict.db.value(HOLDS), 20, "the zombie to hold its lock")

        verdict.api.post(f"/v1/runs/{run}/cancel")

        state = lambda: verdict.api.get(f"/v1/runs/{run}")["state"]  # noqa: E731
        wait_until(lambda: state() == "cancelled", 60, "the scheduler to cancel the run")
        assert not verdict.db.value(HOLDS)
        assert verdict.db.value(
            "SELECT count(*) FROM pg_stat_activity WHERE application_name = %s", "in nobody's way"
        )
    assert '"client":"half a pipeline"' in verdict.logs()["scheduler"]


def is_stopped(pid):
    return pathlib.Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] == "T"


def test_a_topic_made_again_is_noticed_when_it_is_shorter(probe):
    probe.start()
    probe.count(1, 20)
    probe.check()
    epoch = probe.epoch()
    remake_topic(probe)
    probe.count(21, 25)
    probe.check(60)
    assert probe.epoch() > epoch
    assert probe.verdict.db.value("SELECT count(*) FROM probe.resync WHERE partition = 0") >= 1


def test_a_topic_made_again_is_noticed_when_it_is_longer(probe):
    """The offset lies inside the new log, and a consumer that goes on there sees nothing odd: only
    a record that was there before the last check tells. What was taken of the new log until then is
    taken again (its content says that it was counted; the probe only counts)."""
    probe.start(PROBE_LOG_CHECK="4s")
    probe.count(1, 5)
    probe.check()
    remake_topic(probe)
    probe.count(101, 120)
    wait_until(lambda: set(probe.seen()) >= probe.sent, 60, "all messages to be counted")
    seen = probe.seen()
    assert set(seen) == probe.sent and max(seen.values()) <= 2
    assert all(seen[number] == 1 for number in range(1, 6))
    assert probe.verdict.db.value("SELECT count(*) FROM probe.resync WHERE partition = 0") >= 1


def test_a_topic_made_again_while_nobody_reads_is_noticed_at_the_take_over(probe):
    service = probe.start()
    probe.count(1, 5)
    probe.check()
    service.kill()
    remake_topic(probe)
    probe.count(101, 120)
    probe.start()
    probe.check(60)


def test_a_topic_made_again_is_noticed_by_the_next_owner_too(probe):
    """The old owner was carried into the new log in silence, took some of it and died before its
    next check. What the log is known by outlives it."""
    service = probe.start(PROBE_LOG_CHECK="60s")
    probe.count(1, 5)
    probe.check()
    service.signal(signal.SIGSTOP)
    remake_topic(probe)
    probe.count(101, 120)
    service.signal(signal.SIGCONT)
    wait_until(lambda: max(probe.seen()) > 100, 60, "something of the new log to be taken")

    service.kill()
    probe.start()

    wait_until(lambda: set(probe.seen()) >= probe.sent, 40, "all messages to be counted")
    assert set(probe.seen()) == probe.sent
    assert probe.verdict.db.value("SELECT count(*) FROM probe.resync WHERE partition = 0") >= 1


def test_an_instance_id_used_twice_is_told_and_survived(probe):
    """Kafka fences the older of two static members: fatal for its client, not for its process."""
    first = probe.start("probe-1")
    probe.count(1, 5)
    probe.check()
    second = probe.start("probe-2", wait=False, VERDICT_INSTANCE_ID="probe-1")
    told = lambda: "the consumer is lost" in first.log_path.read_text()  # noqa: E731
    wait_until(told, 30, "the first to be told")

    second.stop()
    probe.count(6, 10)

    probe.check()
    first.wait_ready(30)


def test_a_row_that_was_swept_for_hours_does_not_stop_the_others(probe):
    probe.start()
    row = """INSERT INTO notify.outbox (id, topic, partition, key, payload, sweeps, next_sweep_at)
             VALUES (gen_random_uuid(), %s, 0, 'k', %s, %s, now())"""
    topic = probe.verdict.bus.topic("results")
    for sweeps, text in ((1000, "out 1"), (0, "out 2")):
        probe.verdict.db.query(row, topic, text, sweeps)

    def all_out():
        return {m.value() for m in probe.verdict.bus.read("results")} == {b"out 1", b"out 2"}

    wait_until(all_out, 30, "both to be sent")


def remake_topic(probe):
    bus = probe.verdict.bus
    bus.delete("events")
    wait_until(lambda: "events" not in bus.topics(), 20, "the topic to be gone")

    def made():
        try:
            bus.create("events", PARTITIONS)
        except Exception as error:  # noqa: BLE001 (the broker may still be deleting)
            return "exists" in str(error).lower() and "events" in bus.topics()
        return True

    wait_until(made, 20, "the topic to be made again")


def test_the_outbox_sends_what_was_committed_also_after_a_crash(probe):
    probe.start()
    probe.count(1, 30, command="out")
    wait_until(lambda: probe.counted(10), 20, "some to be counted")
    probe.services["probe-1"].kill()
    probe.start()
    probe.check()

    def all_out():
        return {int(m.value().split()[1]) for m in probe.verdict.bus.read("results")} >= probe.sent

    wait_until(all_out, 30, "all outgoing messages")
    rows = "SELECT count(*) FROM notify.outbox"
    wait_until(lambda: probe.verdict.db.value(rows) == 0, 20, "the outbox to be empty")


def test_outgoing_messages_keep_the_order_of_their_making(probe):
    probe.start()
    probe.count(1, 50, command="out")
    probe.check()
    wait_until(lambda: len(probe.verdict.bus.read("results")) >= 50, 20, "all messages")
    numbers = [int(message.value().split()[1]) for message in probe.verdict.bus.read("results")]
    assert numbers == sorted(numbers)


def test_another_number_of_partitions_is_not_ready_with_the_reason(probe):
    probe.verdict.db.query("UPDATE api.installation SET value = 3 WHERE name = 'events_partitions'")
    service = probe.start(wait=False)
    wait_until(lambda: "made with 3" in service.health()[1], 20, "the reason to be said")
    assert service.health()[0] == 503


def test_a_static_member_is_back_at_once(probe):
    """With the session time-out at 6 s, a killed member that comes back does not wait for it."""
    probe.start()
    probe.count(1, 3)
    probe.check()
    probe.services["probe-1"].kill()
    probe.start()
    probe.count(4, 6)
    probe.check(5)
    assert probe.owner() == "probe-1"
