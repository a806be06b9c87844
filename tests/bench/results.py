# SPDX-License-Identifier: Apache-2.0
"""Results: from the topic into the ledger.

The topic is filled first: runs of 10,000 results, as one worker would send them, 500 a message.
Then one collector is started, with the settings of the field (fsync on), and the time is taken from
the first commit that is seen to the last result, without what was in the first. The CPU time tells
how much of it was the collector's own and how much Postgres'.
"""

import argparse
import json
import os
import pathlib
import sys
import tempfile
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))

from confluent_kafka import Producer  # noqa: E402
from support.servers import Servers  # noqa: E402
from support.verdict import Verdict  # noqa: E402
from support.worker import Stream, Task, Worker, finished, result  # noqa: E402

RUN = 10000
MESSAGE = 500
TICKS = os.sysconf("SC_CLK_TCK")


def fill(verdict, runs):
    worker = Worker(verdict)
    producer = Producer({"bootstrap.servers": verdict.bus.brokers, "linger.ms": 5})
    for _ in range(runs):
        stream = Stream(Task(verdict, worker))
        first_seq = 1
        for first in range(0, RUN, MESSAGE):
            more = {"file": "tests/test_checkout.py", "class": "TestCheckout"}
            items = [result(f"test_{n}", **more) for n in range(first, first + MESSAGE)]
            if first + MESSAGE == RUN:
                items.append(finished(passed=RUN))
            body = {**stream.head, "first_seq": first_seq, "items": items}
            payload = json.dumps(body).encode()
            headers = {"worker": worker.id.encode(), "mac": worker.sign(payload)}
            topic = verdict.bus.topic("results")
            producer.produce(topic, payload, partition=stream.partition, headers=headers)
            producer.poll(0)
            first_seq += len(items)
    assert producer.flush(60) == 0


def cpu_s(pid):
    fields = pathlib.Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / TICKS


def postgres_cpu_s(verdict):
    """Of the sessions that the collector has open; they stay open until it ends."""
    pids = verdict.db.query(
        "SELECT pid FROM pg_stat_activity WHERE usename = 'verdict_collector' AND pid IS NOT NULL"
    )
    return sum(cpu_s(row["pid"]) for row in pids)


def measure(verdict, results):
    counted = "SELECT coalesce(sum(passed), 0)::bigint FROM results.run_totals"
    service = verdict.start("result-collector", wait=False)
    first = None
    while True:
        count, now = verdict.db.value(counted), time.monotonic()
        if first is None and count > 0:
            first = (count, now)
        if count == results:
            break
        time.sleep(0.01)
    took_s = now - first[1]
    print(f"{(results - first[0]) / took_s:,.0f} results/s ({results:,} in runs of {RUN:,})")
    print(
        f"CPU per result: collector {cpu_s(service.pid()) / results * 1e6:.1f} µs, "
        f"Postgres {postgres_cpu_s(verdict) / results * 1e6:.1f} µs"
    )


def main():
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--results", type=int, default=400_000)
    options, _ = parser.parse_known_args()
    runs = max(1, options.results // RUN)
    print("results: topic to commit")
    with tempfile.TemporaryDirectory(prefix="verdict-bench-") as folder:
        pathlib.Path(folder).chmod(0o755)
        servers = Servers(pathlib.Path(folder) / "servers", postgres_settings={})
        servers.start()
        verdict = Verdict(pathlib.Path(folder) / "verdict", servers)
        try:
            fill(verdict, runs)
            measure(verdict, runs * RUN)
        finally:
            verdict.close()
            servers.stop()


if __name__ == "__main__":
    main()
