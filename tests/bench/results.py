# SPDX-License-Identifier: Apache-2.0
"""Results: from the topic into the ledger.

The topic is filled first: runs of 10,000 results, as one worker would send them, 500 a message.
Then one collector is started, with the settings of the field (fsync on), and the time is taken from
the first commit that is seen to the last result, without what was in the first. The CPU time tells
how much of it was the collector's own and how much Postgres'. Beside it COPY, and INSERT from
unnest with ON CONFLICT, of as many rows into a table like the one of results, from bytes made
before.
"""

import io
import json
import time

import psycopg
from bench.rig import Row, cpu_s, fits, postgres_cpu_s
from confluent_kafka import Producer
from support.worker import Stream, Task, Worker, case_key, finished, result, uuid_v7

RUN = 10000
MESSAGE = 500
UNNEST_ROWS = 500
COLUMNS = {
    "run_id": "uuid",
    "case_key": "bytea",
    "task_id": "uuid",
    "attempt": "integer",
    "dispatch_id": "uuid",
    "seq": "bigint",
    "status": "text",
    "file": "text",
    "class": "text",
    "name": "text",
    "duration_ms": "bigint",
}


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


def drain(bench, results):
    """(results/s, CPU µs of the collector, of Postgres, per result)"""
    counted = "SELECT coalesce(sum(passed), 0)::bigint FROM results.run_totals"
    with bench.verdict() as verdict:
        fill(verdict, results // RUN)
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
        return (
            (results - first[0]) / took_s,
            cpu_s(service.pid()) / results * 1e6,
            postgres_cpu_s(verdict, "verdict_collector") / results * 1e6,
        )


def rows_of(count):
    """What the ledger would hold of so many results."""
    for number in range(count):
        if number % RUN == 0:
            ids = (uuid_v7(), uuid_v7(), uuid_v7())
        name = f"test_{number % RUN}"
        key = "\\x" + case_key(name)
        file, class_ = "tests/test_checkout.py", "TestCheckout"
        yield (ids[0], key, ids[1], 1, ids[2], number % RUN + 1, "passed", file, class_, name, 3)


def rate(verdict, count, write):
    """Rows a second of write(connection), committed."""
    with psycopg.connect(verdict.urls["VERDICT_POSTGRES_URL"]) as connection:
        connection.execute("DROP TABLE IF EXISTS bench_result")
        connection.execute("CREATE TABLE bench_result (LIKE results.result INCLUDING ALL)")
        connection.commit()
        began = time.monotonic()
        write(connection)
        connection.commit()
        took_s = time.monotonic() - began
        written = connection.execute("SELECT count(*) FROM bench_result").fetchone()[0]
        if written != count:
            raise RuntimeError(f"{written} of {count} rows are there")
        return count / took_s


def copy_of(count):
    text = io.StringIO()
    for row in rows_of(count):
        line = "\t".join(str(value) for value in row)
        text.write(line.replace("\\", "\\\\") + "\n")
    payload = text.getvalue().encode()
    command = f"COPY bench_result ({', '.join(COLUMNS)}) FROM STDIN"

    def write(connection):
        with connection.cursor().copy(command) as copy:
            for first in range(0, len(payload), 1 << 20):
                copy.write(payload[first : first + (1 << 20)])

    return write


def unnest_of(count):
    """As the collector writes: a transaction of 20 statements, ended before the next begins."""
    names = ", ".join(COLUMNS)
    arrays = ", ".join(f"%s::{kind}[]" for kind in COLUMNS.values())
    sql = (
        f"INSERT INTO bench_result ({names}) SELECT * FROM unnest({arrays}) ON CONFLICT DO NOTHING"
    )
    rows, batches = rows_of(count), []
    for _ in range(0, count, UNNEST_ROWS):
        part = [next(rows) for _ in range(UNNEST_ROWS)]
        escaped = (
            str(value).replace("\\", "\\\\") for row in zip(*part, strict=True) for value in row
        )
        flat = [f'"{value}"' for value in escaped]
        width = len(part)
        batches.append(
            ["{" + ",".join(flat[i : i + width]) + "}" for i in range(0, len(flat), width)]
        )

    def write(connection):
        with connection.pipeline():
            for number, batch in enumerate(batches, 1):
                connection.execute(sql, batch, prepare=True)
                if number % 20 == 0:
                    connection.commit()

    return write


def measure(bench):
    count = 100_000 if bench.quick else 1_000_000
    drained = bench.repeat(lambda: drain(bench, count))
    with bench.verdict() as verdict:
        copy, unnest = copy_of(count), unnest_of(count)
        copied = bench.repeat(lambda: rate(verdict, count, copy))
        inserted = bench.repeat(lambda: rate(verdict, count, unnest))
    rates = [run[0] for run in drained]
    name = "results, Kafka → committed, one collector"
    aim = "≥ 60 k/s, ≥ 0.2 ×"
    row = Row(name, "/s", rates, "COPY into the same table", copied, aim)
    beside = Row("… the same", "/s", rates, "unnest + ON CONFLICT, one connection", inserted)
    return [
        fits(row, least=60_000, ratio=0.2),
        beside,
        Row("… CPU of a result, collector", "µs", [run[1] for run in drained]),
        Row("… CPU of a result, Postgres", "µs", [run[2] for run in drained]),
    ]
