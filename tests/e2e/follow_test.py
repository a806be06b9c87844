# SPDX-License-Identifier: Apache-2.0
"""How `verdict run` and `verdict wait` learn how a run goes: by its live stream, else by asking."""

import json
import os
import pty
import subprocess
import threading
import time

import pytest
import requests
from parts.process import wait_until
from support.relay import Relay

EVENTS = "/events"
TESTS = """
import pathlib, time, pytest

@pytest.mark.parametrize("n", [1, 2, 3])
def test_waits(n):
    while not pathlib.Path(f"release-{n}").exists():
        time.sleep(0.01)
"""


@pytest.fixture(scope="module")
def installation(shared_verdict, tmp_path_factory):
    shared_verdict.source_roots.append(tmp_path_factory.getbasetemp())
    shared_verdict.start_all()
    return shared_verdict


@pytest.fixture
def run(installation, tmp_path):
    """A run that goes on until its tests are released."""
    (tmp_path / "waits_test.py").write_text(TESTS)
    trigger = installation.cli("trigger", "--", "pytest", "waits_test.py")
    trigger["env"]["PATH"] += ":" + os.environ["PATH"]
    made = subprocess.run(**trigger, cwd=tmp_path, capture_output=True, text=True, check=True)
    run = made.stdout.strip()
    url = f"/v1/runs/{run}"
    wait_until(lambda: installation.api.get(url)["state"] == "running", 30, "the run to be running")
    yield run
    installation.api.post(f"{url}/cancel")


def wait_for(installation, run, url, **how):
    command = installation.cli("wait", "--json", run, VERDICT_URL=url, TERM="xterm")
    return subprocess.Popen(**command, **how)


def release(folder, *numbers):
    for number in numbers:
        (folder / f"release-{number}").write_text("")


class Screen:
    """A terminal, and when each text was first on it."""

    def __init__(self):
        self._ours, self.theirs = pty.openpty()
        self._text = ""
        self._seen = []  # (length, when)
        threading.Thread(target=self._read, daemon=True).start()

    def _read(self):
        while True:
            try:
                self._text += os.read(self._ours, 4096).decode()
            except OSError:  # nobody writes any more
                return
            self._seen.append((len(self._text), time.monotonic()))

    def find(self, text):
        """When it was there, or None."""
        end = self._text.find(text) + len(text)
        return next((at for length, at in self._seen if length >= end), None) if end else None

    def when(self, text):
        at = self.find(text) if text in self._text else None
        return at or wait_until(lambda: text in self._text and self.find(text), 20, text)


def told(installation, run, times):
    """Fills `times` with when the server told of how many results."""
    headers = installation.api.session.headers
    url = f"{installation.api_url}/v1/runs/{run}{EVENTS}"
    with requests.get(url, headers=headers, stream=True, timeout=60) as answer:
        for line in answer.iter_lines(chunk_size=1):
            if line.startswith(b"data: "):
                totals = json.loads(line[6:])["data"].get("totals", {})
                times.setdefault(totals.get("passed", 0), time.monotonic())


def test_the_line_in_a_terminal_moves_with_the_run(installation, run, tmp_path):
    times = {}
    listener = threading.Thread(target=told, args=[installation, run, times], daemon=True)
    listener.start()
    screen = Screen()
    streams = dict.fromkeys(("stdin", "stdout", "stderr"), screen.theirs)
    process = wait_for(installation, run, installation.api_url, **streams)
    os.close(screen.theirs)
    screen.when("running")

    moved = []
    for n in (1, 2):
        release(tmp_path, n)
        moved.append(screen.when(f"{n} of 3"))
    release(tmp_path, 3)
    assert process.wait(timeout=30) == 0
    listener.join(20)

    assert max(moved[n - 1] - times[n] for n in (1, 2)) < 0.3
    assert screen.when("PASSED") - times[3] < 1


def test_a_stream_that_breaks_is_resumed_behind_what_was_told(installation, run, tmp_path):
    with Relay(installation.api_port) as relay:
        process = wait_for(installation, run, relay.url, stdout=subprocess.DEVNULL)
        wait_until(lambda: relay.heads_with(EVENTS), 20, "the stream to be opened")
        version = installation.api.get(f"/v1/runs/{run}")["version"]
        relay.cut(EVENTS)
        wait_until(lambda: len(relay.heads_with(EVENTS)) > 1, 20, "the stream to be opened again")
        release(tmp_path, 1, 2, 3)
        assert process.wait(timeout=30) == 0
    assert f"Last-Event-ID: {version}\r\n" in relay.heads_with(EVENTS)[1]


@pytest.mark.parametrize("how", ["refuses", "swallows"])
def test_a_wait_goes_on_without_the_stream(installation, run, tmp_path, how):
    with Relay(installation.api_port, **{how: EVENTS}) as relay:
        process = wait_for(installation, run, relay.url, stdout=subprocess.DEVNULL)
        wait_until(lambda: relay.heads_with(EVENTS), 20, "the stream to be asked for")
        release(tmp_path, 1, 2, 3)
        assert process.wait(timeout=30) == 0
    assert len(relay.heads_with(EVENTS)) <= 3
