# SPDX-License-Identifier: Apache-2.0
"""Trigger to first test process: from the client's first byte to the test program's first act.

One client on one keep-alive connection triggers one run at a time on an idle installation with the
settings of the field (fsync on, default times), waits for its end, and a random moment longer. The
suite's command is build/bench/stamp, which writes the time at which it runs. Everybody's clock is
CLOCK_MONOTONIC of this machine. First without debug logs for the figures; then fewer samples with
them, for the time of each hop; and as many with spans, for the picture of a run.
"""

import json
import multiprocessing
import os
import random
import socket
import statistics
import subprocess
import threading
import time

from bench import picture
from bench.rig import BUILT, HERE, Row, fits, percentile
from bench.rig import make_suite as make_noop
from bench.tasks import rate_of
from parts.process import wait_until
from support.traces import Traces

WARM_UP = 50
MOST_GAP_S = 0.02
STAMP = BUILT / "stamp"

# In the order in which they happen.
HOPS = [
    "run accepted",
    "run dispatched",
    "dispatch received",
    "test process runs",
    "task finished",
    "run finished",
]
TO_TEST = 4  # of them lead to the first test process
HOP_TEXTS = {
    "run accepted": "request read, authenticated, committed",
    "run dispatched": "Kafka, the scheduler, the choice of a worker, commit",
    "dispatch received": "Kafka, the executor",
    "test process runs": "its working directory, fork, exec",
    "task finished": "the test, and what is left of it",
    "run finished": "Kafka, the collector's commit, Kafka, the scheduler's verdict",
}
# The spans of a run, in the order in which they begin.
SPAN_TEXTS = {
    "trigger": "the request: read, authenticated, committed",
    "run": "from accepted to final",
    "plan": "Kafka, and what makes tasks of a run",
    "dispatch": "from queued to sent: a worker is chosen, committed",
    "attempt": "the executor: its working directory, fork, exec, the test itself",
    "record": "the collector: from the last batch's first message to its COMMIT",
}


def now_us():
    return time.monotonic_ns() // 1000


class Client:
    """HTTP/1.1 on one connection: the request is ready before the clock is read."""

    def __init__(self, verdict):
        self.token = verdict.admin_token.read_text().strip()
        self.socket = socket.create_connection(("127.0.0.1", verdict.api_port))
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.reader = self.socket.makefile("rb")

    def call(self, method, path, body=None):
        """(time of the first byte, decoded answer)"""
        payload = json.dumps(body).encode() if body is not None else b""
        head = (
            f"{method} {path} HTTP/1.1\r\nHost: 127.0.0.1\r\nAuthorization: Bearer {self.token}\r\n"
            f"Content-Type: application/json\r\nContent-Length: {len(payload)}\r\n\r\n"
        )
        message = head.encode() + payload
        sent_us = now_us()
        self.socket.sendall(message)
        return sent_us, self._answer(method, path)

    def _answer(self, method, path):
        status = int(self.reader.readline().split()[1])
        length = 0
        while (line := self.reader.readline().strip()) != b"":
            name, _, value = line.partition(b":")
            if name.lower() == b"content-length":
                length = int(value)
        text = self.reader.read(length)
        if status // 100 != 2:
            raise RuntimeError(f"{method} {path}: {status} {text.decode(errors='replace')}")
        return json.loads(text)

    def close(self):
        self.reader.close()
        self.socket.close()


class Stamps:
    """What the test programs wrote: the time at which each run's process began."""

    def __init__(self, folder):
        self.path = folder / "stamps"

    def read(self):
        lines = self.path.read_text().splitlines()
        return {run: int(time_us) for run, time_us in (line.split() for line in lines)}


def make_suite(verdict, source, stamps):
    spec = {
        "framework": "command",
        "source": {"kind": "path", "path": str(source)},
        "command": [str(STAMP), str(stamps.path)],
        "report": {"format": "none"},
    }
    verdict.api.put("/v1/projects/bench", {"title": "Bench"})
    verdict.api.put("/v1/projects/bench/suites/stamp", spec)


def sample(client, count, chance):
    """{run: when its first byte was sent}"""
    sent = {}
    for _ in range(count):
        sent_us, run = client.call("POST", "/v1/runs", {"project": "bench", "suite": "stamp"})
        sent[run["id"]] = sent_us
        while (run := client.call("GET", f"/v1/runs/{run['id']}?wait=10s")[1])["state"] != "passed":
            if run["state"] not in ("queued", "running"):
                raise RuntimeError(f"run {run['id']} is {run['state']}: {run['reason_text']}")
        time.sleep(chance.uniform(0, MOST_GAP_S))
    return sent


def read_hops(verdict):
    """{message: {run: µs}} from the debug lines of all services."""
    found = {}
    for service in verdict.services.values():
        for line in service.log_path.read_text(errors="replace").splitlines():
            try:
                entry = json.loads(line)
            except ValueError:
                continue
            if entry.get("message") in HOPS and "monotonic_us" in entry:
                found.setdefault(entry["message"], {})[entry["run_id"]] = entry["monotonic_us"]
    return found


def summary(values):
    return {
        "samples": len(values),
        "min_ms": min(values) / 1000,
        **{f"p{name}_ms": percentile(values, share) / 1000 for name, share in SHARES},
        "max_ms": max(values) / 1000,
    }


SHARES = [("50", 0.5), ("90", 0.9), ("99", 0.99), ("99.9", 0.999)]


def measure_whole(verdict, stamps, count, chance):
    """Summary of the times from first byte to test process."""
    client = Client(verdict)
    sample(client, WARM_UP, chance)
    sent = sample(client, count, chance)
    client.close()
    began = stamps.read()
    return summary([began[run] - sent_us for run, sent_us in sent.items()])


def measure_hops(verdict, stamps, count, chance):
    """{hop: summary} of the times between one hop and the next, with debug logs."""
    client = Client(verdict)
    sample(client, WARM_UP, chance)
    sent = sample(client, count, chance)
    client.close()
    hops = {**read_hops(verdict), "test process runs": stamps.read()}
    result = {}
    before = sent
    for hop in HOPS:
        times = hops.get(hop, {})
        known = [run for run in sent if run in times and run in before]
        if len(known) < count * 0.99:
            raise RuntimeError(f"only {len(known)} of {count} runs have a line '{hop}'")
        result[hop] = summary([times[run] - before[run] for run in known])
        before = times
        if hop == HOPS[TO_TEST - 1]:
            to_test = summary([times[run] - sent[run] for run in known])
    result["to the test"] = to_test
    result["in all"] = summary([before[run] - sent[run] for run in known])
    return result


def restart(verdict, services, **settings):
    for name in services:
        verdict.stop(name)
    for name in services:
        verdict.start(name, wait=False, **settings)
    for name in services:
        verdict.services[name].wait_ready()


def by_trace(traces, runs):
    """[{name: span}] of the runs whose spans have all come."""
    found = {}
    for span in traces.spans():
        found.setdefault(span.trace, {})[span.name] = span
    return [
        spans
        for spans in found.values()
        if spans.keys() >= SPAN_TEXTS.keys()
        and spans["trigger"].attributes["verdict.run.id"] in runs
    ]


def measure_spans(verdict, services, count, chance):
    """([(name, service, begin, end)], how many traces): medians, in ms from the trigger's begin."""
    with Traces() as traces:
        restart(verdict, services, **traces.settings())
        client = Client(verdict)
        sample(client, WARM_UP, chance)
        sent = sample(client, count, chance)
        client.close()
        wait_until(lambda: len(by_trace(traces, sent)) >= count, 60, "all spans to come")
        whole = by_trace(traces, sent)
    found = []
    for name in SPAN_TEXTS:
        begins = [spans[name].start_ns - spans["trigger"].start_ns for spans in whole]
        ends = [spans[name].end_ns - spans["trigger"].start_ns for spans in whole]
        times = [statistics.median(values) / 1e6 for values in (begins, ends)]
        found.append((name, whole[0][name].service, *times))
    return found, len(whole)


def peer(bench, count):
    """[[ms of add → start]] of graphile-worker, once per run; [] when it is not there."""
    modules = bench.node_modules()
    if modules is None:
        return []
    bench.servers.postgres.create_database("graphile")
    url = bench.servers.postgres.url(database="graphile")
    environment = {**os.environ, "NODE_PATH": str(modules)}
    command = ["node", str(HERE / "peers" / "graphile.cjs"), url, str(count)]

    def once():
        done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
        if done.returncode != 0:
            raise RuntimeError(f"graphile-worker: {done.stderr[-2000:]}")
        return json.loads(done.stdout.splitlines()[-1])

    return bench.repeat(once)


class Load:
    """Half of what the installation can do, by a process of its own; what is reached is counted."""

    CLIENTS = 4

    def __init__(self, verdict):
        self._verdict = verdict
        self.reached = 0.0
        token = verdict.admin_token.read_text().strip()
        rate_of(verdict, "warm", 200, token)
        self.rate = rate_of(verdict, "load", 1000, token) / 2
        context = multiprocessing.get_context("fork")
        self._process = context.Process(target=_send, args=[verdict, self.rate], daemon=True)

    def _count(self):
        return self._verdict.db.value("SELECT count(*) FROM api.run WHERE suite_slug = 'noop'")

    def __enter__(self):
        self._before, self._began = self._count(), time.monotonic()
        self._process.start()
        return self

    def __exit__(self, *_):
        self.reached = (self._count() - self._before) / (time.monotonic() - self._began)
        self._process.terminate()
        self._process.join()


def _send(verdict, rate):
    """By several clients, since each waits for a commit."""
    clients = [
        threading.Thread(target=_send_some, args=[verdict, rate / Load.CLIENTS], daemon=True)
        for _ in range(Load.CLIENTS)
    ]
    for client in clients:
        client.start()
    for client in clients:
        client.join()


def _send_some(verdict, rate):
    client = Client(verdict)
    due = time.monotonic()
    while True:
        client.call("POST", "/v1/runs", {"project": "bench", "suite": "noop"})
        due += 1 / rate
        time.sleep(max(0, due - time.monotonic()))


def measure(bench):
    count = 200 if bench.quick else 600
    chance = random.Random(1)
    services = ["api-ingest", "scheduler", "result-collector", "notifier", "executor-1"]
    with bench.verdict(*services, executor={"VERDICT_SLOTS": 8}) as verdict:
        stamps = Stamps(verdict.folder)
        source = verdict.folder / "source"
        make_noop(verdict)
        make_suite(verdict, source, stamps)
        idle = bench.repeat(lambda: measure_whole(verdict, stamps, count, chance))
        with Load(verdict) as load:
            busy = bench.repeat(lambda: measure_whole(verdict, stamps, count, chance))
        restart(verdict, services, VERDICT_LOG_LEVEL="debug")
        hops = measure_hops(verdict, stamps, count // 4, chance)
        spans, traced = measure_spans(verdict, services, count // 4, chance)
    report_hops(hops)
    beside = peer(bench, count)
    name = "graphile-worker, add → start" if beside else "graphile-worker: missing"
    rows = []
    loaded = f"at half load ({load.reached:.0f} of {load.rate:.0f} runs/s beside)"
    for kind, runs in ("idle", idle), (loaded, busy):
        for share, most in ("p50", 10), ("p99", 50):
            other = [run[f"{share}_ms"] for run in beside] if kind == "idle" else []
            text = f"trigger → first test process, {kind}, {share}"
            values = [run[f"{share}_ms"] for run in runs]
            row = Row(text, "ms", values, name if kind == "idle" else "", other, f"< {most} ms")
            is_loaded = kind == "idle" or load.reached >= 0.9 * load.rate
            rows.append(fits(row, most=most, unless=is_loaded))
    rows += [Row(f"… {hop}, p50", "ms", [hops[hop]["p50_ms"]]) for hop in HOPS]
    (BUILT / "run.svg").write_text(picture.draw(spans, traced, SPAN_TEXTS))
    return rows


def report_hops(hops):
    heads = "".join(f"{'p' + share:>9}" for share, _ in SHARES)
    print(f"by hop, {hops['in all']['samples']} samples, with debug logs; milliseconds")
    print(f"  {'':<20}{'min':>9}{heads}{'max':>9}")
    for hop, numbers in hops.items():
        keys = ["min_ms", *(f"p{share}_ms" for share, _ in SHARES), "max_ms"]
        columns = "".join(f"{numbers[key]:9.2f}" for key in keys)
        print(f"  {hop:<20}{columns}   {HOP_TEXTS.get(hop, '')}".rstrip())
