# SPDX-License-Identifier: Apache-2.0
"""What a service takes: resident memory after a load of no-op runs, and the time from exec until
/readyz says yes, asked each half millisecond. Beside both a program with all our libraries,
connected, and nothing else."""

import http.client
import pathlib
import re
import subprocess
import time

from bench.rig import BUILT, Row, fits, make_suite
from bench.tasks import rate_of

NAMES = ["api-ingest", "scheduler", "result-collector", "notifier", "executor-1"]


def rss_mb(pid):
    text = pathlib.Path(f"/proc/{pid}/status").read_text()
    return int(re.search(r"VmRSS:\s+(\d+)", text)[1]) / 1024


def is_ready(service):
    connection = http.client.HTTPConnection("127.0.0.1", service.health_port, timeout=5)
    try:
        connection.request("GET", "/readyz")
        return connection.getresponse().status == 200
    except OSError:
        return False
    finally:
        connection.close()


def start_ms(verdict, name):
    service = verdict.services[name]
    service.stop()
    began = time.monotonic()
    service.start()
    while not is_ready(service):
        if time.monotonic() - began > 60:
            raise RuntimeError(f"{name} is not ready after a minute")
        time.sleep(0.0005)
    return (time.monotonic() - began) * 1000


def libraries(bench):
    """(MB, ms)"""
    servers = bench.servers
    words = [servers.postgres.url(database="postgres"), servers.kafka.brokers()]
    argv = [BUILT / "peers" / "libraries", *words, servers.redis.port]
    began = time.monotonic()
    child = subprocess.Popen([str(word) for word in argv], stdout=subprocess.PIPE, text=True)
    try:
        if child.stdout.readline() != "ready\n":
            raise RuntimeError("the libraries could not be connected")
        return rss_mb(child.pid), (time.monotonic() - began) * 1000
    finally:
        child.terminate()
        child.wait()


def measure(bench):
    count = 200 if bench.quick else 2000
    peers = bench.repeat(lambda: libraries(bench))
    with bench.verdict(*NAMES) as verdict:
        make_suite(verdict)
        token = verdict.admin_token.read_text().strip()
        memory = {name: [] for name in NAMES}
        for number in range(bench.runs):
            rate_of(verdict, f"m{number}", count, token)
            for name in NAMES:
                memory[name].append(rss_mb(verdict.services[name].pid()))
        starts = {name: bench.repeat(lambda n=name: start_ms(verdict, n)) for name in NAMES}
    peer = "all libraries connected, nothing else"
    rows = []
    for name in NAMES:
        row = Row(f"memory of {name} after a load", "MB", memory[name], peer, [p[0] for p in peers])
        row.aim = "< 30 MB"
        rows.append(fits(row, most=30))
    for name in NAMES:
        row = Row(f"start of {name}: exec → ready", "ms", starts[name], peer, [p[1] for p in peers])
        row.aim = "< 50 ms"
        rows.append(fits(row, most=50))
    return rows
