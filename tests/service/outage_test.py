# SPDX-License-Identifier: Apache-2.0
"""What an outage of a server costs: waiting for it is no work."""

import os
import pathlib
import selectors
import socket
import threading
import time

import pytest
from parts.process import wait_until
from support.crowd import post_json, send_all
from support.servers import KINDS
from support.verdict import SERVICES
from support.workload import Work

WINDOW_S = 4
MOST = 0.1  # of one core; all of them spinning at once would have more each, on two cores
WATCHED = 640  # more runs than api-ingest reads at once


def cpu_s(pid):
    fields = pathlib.Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def use_of(verdict):
    """What each service uses of a core while nobody asks it for anything."""
    pids = {name: service.pid() for name, service in verdict.services.items()}
    before = {name: cpu_s(pid) for name, pid in pids.items()}
    began = time.monotonic()
    wait_until(lambda: time.monotonic() - began > WINDOW_S, 60, "the window to be over")
    seconds = time.monotonic() - began
    return {name: (cpu_s(pid) - before[name]) / seconds for name, pid in pids.items()}


def too_much(uses):
    return {name: round(use, 2) for name, use in uses.items() if use > MOST}


def wait_not_ready(verdict, *names):
    for name in names:
        wait_until(lambda name=name: not verdict.services[name].is_ready(), 30, f"{name} to notice")


def wait_all_ready(verdict):
    services = verdict.services.values()
    wait_until(lambda: all(service.is_ready() for service in services), 15, "all to be ready again")


GONE = [pytest.param(kind, marks=pytest.mark.own(kind)) for kind in KINDS]


@pytest.mark.parametrize("gone", GONE)
def test_an_outage_burns_no_core(private_verdict, tmp_path, gone):
    verdict, work = private_verdict, Work(private_verdict, tmp_path / "work")
    server = getattr(verdict.servers, gone)
    work.start()
    work.trigger()
    work.wait_all_final()

    server.stop()
    if gone == "postgres":
        wait_not_ready(verdict, "api-ingest", "scheduler", "result-collector", "notifier")
    if gone == "kafka":
        work.trigger()  # it waits in the outbox
    uses = use_of(verdict)
    assert too_much(uses) == {}

    server.start()
    server.wait_ready()
    wait_all_ready(verdict)  # though nobody asks them for anything
    work.trigger()
    work.wait_all_final()


@pytest.mark.own("postgres")
def test_who_starts_before_postgres_burns_no_core(private_verdict):
    verdict = private_verdict
    verdict.servers.postgres.stop()
    for name in (*SERVICES, "executor-1"):
        verdict.start(name, wait=False)
    wait_until(
        lambda: all(s.health("/livez")[0] == 200 for s in verdict.services.values()),
        30,
        "all to live",
    )

    uses = use_of(verdict)
    verdict.servers.postgres.start()
    verdict.servers.postgres.wait_ready()

    assert too_much(uses) == {}
    wait_all_ready(verdict)


class Listeners:
    """Streams of events that are read by nobody in particular."""

    def __init__(self, verdict, run_ids):
        self.selector = selectors.DefaultSelector()
        self.begun = 0
        token = verdict.admin_token.read_text().strip()
        for run_id in run_ids:
            stream = socket.create_connection(("127.0.0.1", verdict.api_port), timeout=40)
            self.selector.register(stream, selectors.EVENT_READ)
            stream.sendall(
                f"GET /v1/runs/{run_id}/events HTTP/1.1\r\nHost: here\r\n"
                f"Accept: text/event-stream\r\nAuthorization: Bearer {token}\r\n\r\n".encode()
            )
        self._stopped = threading.Event()
        self._thread = threading.Thread(target=self._read, daemon=True)
        self._thread.start()

    def _read(self):
        while not self._stopped.is_set():
            for key, _ in self.selector.select(0.1):
                part = key.fileobj.recv(65536)
                self.begun += part.startswith(b"HTTP/1.1 200 ")
                if not part:
                    self.selector.unregister(key.fileobj)

    def close(self):
        self._stopped.set()
        self._thread.join()
        for key in list(self.selector.get_map().values()):
            key.fileobj.close()


@pytest.mark.own("postgres")
def test_many_who_listen_burn_no_core_while_postgres_is_away(private_verdict, tmp_path):
    verdict, work = private_verdict, Work(private_verdict, tmp_path / "work")
    verdict.start("api-ingest")
    verdict.api.post("/v1/projects", {"slug": work.project, "title": "Work"})
    token = verdict.admin_token.read_text().strip()
    request = post_json(verdict.api_url, "/v1/runs", token, work.body())
    answers = send_all(verdict.api_url, [[request] * (WATCHED // 8)] * 8)
    assert {status for status, _ in answers} == {201}
    run_ids = [str(row["id"]) for row in verdict.db.query("SELECT id FROM api.run")]
    listeners = Listeners(verdict, run_ids)
    wait_until(lambda: listeners.begun == WATCHED, 60, "all to listen")

    verdict.servers.postgres.stop()
    wait_not_ready(verdict, "api-ingest")
    uses = use_of(verdict)
    listeners.close()

    assert too_much(uses) == {}
