# SPDX-License-Identifier: Apache-2.0
"""The promises of docs/guarantees.md: what `make chaos` does for each. The tests are those of
`make test`, at their whole size, and those of this folder."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Proof:
    promise: str
    done: str
    tests: tuple  # below tests/: files, or files::names


PROOFS = {
    "P1": Proof(
        "an accepted trigger is never lost nor doubled",
        "2,000 triggers with keys, repeated on error; kill -9 api-ingest",
        ("chaos/triggers_test.py",),
    ),
    "P2, P3": Proof(
        "all becomes final; results are counted once",
        "kill -9 of each of the five, 10,000 results",
        ("chaos/storm_test.py",),
    ),
    "P4": Proof(
        "a stale attempt never counts",
        "workers stopped past their lease, killed; a bump while results arrive",
        (
            "crash/executor_test.py::test_a_stopped_worker_that_wakes_up_again_is_stale",
            "crash/executor_test.py::test_a_killed_workers_task_is_run_elsewhere",
            "service/collector_test.py::test_a_bump_while_results_arrive_lets_nothing_slip_in_between",
        ),
    ),
    "P5": Proof(
        "a zombie scheduler is harmless",
        "stopped past its session at any moment, also inside a transaction",
        ("crash/scheduler_test.py", "service/ledger_test.py"),
    ),
    "P6": Proof(
        "a broker outage only delays",
        "broker stopped for 5, 20 and 90 s; killed",
        (
            "crash/kafka_test.py::test_a_broker_that_stops_only_delays",
            "crash/kafka_test.py::test_a_killed_broker_only_delays",
        ),
    ),
    "P7": Proof(
        "Redis is disposable", "flushed all the time; away for 30 s", ("crash/redis_test.py",)
    ),
    "P8": Proof(
        "a crash of Postgres is survived",
        "ten crashes under load, sessions thrown out, a COMMIT cut off",
        (
            "crash/postgres_test.py::test_a_postgres_that_crashes_again_and_again_loses_nothing",
            "crash/postgres_test.py::test_sessions_thrown_out_at_random_lose_nothing",
            "crash/commit_test.py",
        ),
    ),
    "P8b": Proof(
        "an older database put back heals",
        "a copy put back while Kafka goes on",
        ("crash/postgres_test.py::test_an_older_database_put_back_heals",),
    ),
    "P8c": Proof(
        "a topic made again is noticed",
        "each topic deleted and made again under load",
        ("crash/kafka_test.py::test_a_topic_made_again_is_noticed",),
    ),
    "P9": Proof(
        "webhooks: at least once, signed, logged",
        "1,000 events to rude receivers and a good one; kill -9 the notifier",
        ("service/notifier_test.py",),
    ),
    "P10": Proof(
        "cancel is final and prompt",
        "1,000 races of finish against cancel; every state",
        (
            "service/scheduler_ends_test.py::test_of_a_finish_and_a_cancel_at_once_one_wins",
            "e2e/endings_test.py",
        ),
    ),
    "P11": Proof(
        "a graceful stop costs nothing", "SIGTERM to each in work", ("crash/stop_test.py",)
    ),
    "P12": Proof(
        "hostile clients cannot take the API down",
        "500 that drip, gigabytes, bombs, nonsense; every route with void tokens",
        ("crash/hostile_test.py", "service/access_test.py"),
    ),
    "P13": Proof(
        "a poison message blocks nothing",
        "bad bytes into every topic",
        ("crash/kafka_test.py::test_poison_becomes_dead_letters_and_blocks_nothing",),
    ),
    "P14": Proof(
        "duplicates are harmless",
        "results and scheduling replayed twice, lane messages doubled",
        (
            "crash/kafka_test.py::test_a_topic_replayed_twice_changes_nothing",
            "crash/kafka_test.py::test_lane_messages_doubled_run_nothing_twice",
        ),
    ),
    "P15": Proof(
        "clock jumps are harmless",
        "each of the five an hour forward, two back and home again",
        ("crash/clock_test.py",),
    ),
    "P16": Proof(
        "a full disk is safe",
        "spool on 16 MB, no inodes, a flush that fails; full disks under Postgres and broker",
        ("crash/disk_test.py", "chaos/server_disk_test.py"),
    ),
    "P17": Proof(
        "nothing leaks",
        "half load for two minutes: descriptors (make soak: memory, half an hour)",
        ("crash/leak_test.py",),
    ),
    "P18": Proof(
        "versions mix",
        "each service of the commit in `previous` beside those of this one; all renewed under load",
        ("chaos/versions_test.py",),
    ),
    "P20": Proof(
        "an exclusive task never runs beside its successor",
        "its worker is not heard any more",
        ("crash/executor_test.py::test_an_exclusive_task_never_runs_beside_its_successor",),
    ),
    "P22": Proof(
        "results from elsewhere are counted once",
        "api-ingest and the scheduler killed in the middle of uploads",
        ("crash/uploads_test.py", "service/uploads_test.py"),
    ),
}
