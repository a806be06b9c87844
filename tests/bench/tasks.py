# SPDX-License-Identifier: Apache-2.0
"""No-op tasks from trigger to verdict: runs of /bin/true, a process each, two executors. Beside it
Celery (two processes that stay, no process a task) and RQ (a fork each), both over Redis. And where
the processor's time of a run goes."""

import itertools
import subprocess

from bench.rig import Row, cpu_s, fits, make_suite, postgres_cpu_s, tree_cpu_s
from bench.wrk import wrk
from parts.process import wait_until

SLOTS = 4
PEERS = {"celery": ("Celery + Redis, no process a task", 10_000), "rq": ("RQ, a fork each", 1_000)}


def rate_of(verdict, prefix, count, token):
    """Triggers them as fast as they are taken, and waits for the last verdict."""
    ended = """SELECT count(*) AS count,
                 extract(epoch FROM max(s.finished_at) - min(r.created_at))::float AS seconds
               FROM api.run r JOIN scheduling.run_state s ON s.run_id = r.id
               WHERE s.finished_at IS NOT NULL AND r.number > %s"""
    before = verdict.db.value("SELECT coalesce(max(number), 0) FROM api.run")
    # Two threads; what is under way when the first has its share is answered as well.
    seconds = max(2, count // 200)  # wrk sleeps as long, whether it has something to send or not
    words = (token, prefix, "noop", count // 2)
    seen = wrk(verdict.api_url, "triggers", *words, seconds=seconds)
    wanted = verdict.db.value("SELECT count(*) FROM api.run WHERE number > %s", before)
    if wanted < seen["requests"]:
        raise RuntimeError(f"{seen['requests']} were accepted, {wanted} are there")

    def all_ended():
        row = verdict.db.query(ended, before)[0]
        return row if row["count"] == wanted else None

    row = wait_until(all_ended, 300, f"{wanted} runs to end")
    return row["count"] / row["seconds"]


def cpu_of_parts(bench, verdict):
    """{part: seconds of processor time until now}"""
    seconds = {
        "Kafka": cpu_s(bench.servers.kafka.pid()),
        "Postgres": postgres_cpu_s(verdict),
        "executor, with the tests' processes": 0,
    }
    for name, service in verdict.services.items():
        if name.startswith("executor"):
            seconds["executor, with the tests' processes"] += tree_cpu_s(service.pid())
        else:
            seconds[name] = cpu_s(service.pid())
    return seconds


def peer(bench, kind):
    """Tasks a second; None when the peer is not there."""
    name, count = PEERS[kind]
    if bench.python() is None:
        return f"{name}: missing", []
    count = count // 10 if bench.quick else count
    url = bench.servers.redis.url(1000)
    command = [bench.python(), "tests/bench/peers/queue_peer.py", kind, url, str(count)]

    def once():
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        if done.returncode != 0:
            raise RuntimeError(f"{kind}: {done.stderr[-2000:]}")
        return float(done.stdout.split()[-1])

    return name, bench.repeat(once)


def measure(bench):
    count = 1_000 if bench.quick else 10_000
    names = ["api-ingest", "scheduler", "result-collector", "notifier", "executor-1", "executor-2"]
    with bench.verdict(*names, executor={"VERDICT_SLOTS": SLOTS}) as verdict:
        make_suite(verdict)
        token = verdict.admin_token.read_text().strip()
        numbers = itertools.count()
        parts = []

        def once():
            before = cpu_of_parts(bench, verdict)
            rate = rate_of(verdict, f"t{next(numbers)}", count, token)
            after = cpu_of_parts(bench, verdict)
            parts.append({name: (after[name] - before[name]) / count * 1000 for name in after})
            return rate

        values = bench.repeat(once)
    rows = []
    for kind in PEERS:
        name, peer_values = peer(bench, kind)
        measure_name = f"no-op runs end to end, a process each, 2 × {SLOTS} slots"
        row = Row(measure_name, "/s", values, name, peer_values, "≥ 1,500/s")
        rows.append(fits(row, least=1500))
    rows[1].measure = "… the same"
    measured = parts[-len(values) :]
    for name in measured[0]:
        rows.append(Row(f"… CPU of a run, {name}", "ms", [part[name] for part in measured]))
    return rows
