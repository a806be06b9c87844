# SPDX-License-Identifier: Apache-2.0
"""The users' command in a folder of its own, which a worker can see."""

import contextlib
import fcntl
import json
import os
import pty
import struct
import subprocess
import termios
import textwrap

from parts.process import wait_until

TESTS = """
    import pytest

    @pytest.mark.parametrize("n", [1, 2])
    def test_good(n):
        print("output of a test")

    def test_bad():
        total = 41
        assert total == 42

    @pytest.mark.skip(reason="later")
    def test_later():
        pass
"""

MANIFEST = """
    project: PROJECT
    title: Till
    environments:
      staging: {title: Staging, url: https://staging.example, position: 1}
    suites:
      unit:
        title: Unit tests
        framework: pytest
        source: {path: tests}
        environment: {TZ: UTC}
    templates:
      nightly:
        suite: unit
        environment: staging
        policy: {task_timeout: 1m}
    webhooks:
      - {url: https://hooks.example/till, events: [run.finished]}
"""


class Cli:
    """A folder that a worker can see, and the command in it."""

    def __init__(self, verdict, folder):
        self.verdict = verdict
        self.folder = folder
        self.project = f"till-{folder.parent.name.replace('_', '-')}".lower().strip("-")[:63]
        (folder / "tests").mkdir(parents=True)
        self.write("tests/test_till.py", TESTS)

    def write(self, name, text):
        text = textwrap.dedent(text).replace("PROJECT", self.project)
        (self.folder / name).write_text(text)

    def start(self, *words, **settings):
        command = self.verdict.cli(*words, HOME=str(self.folder), **settings)
        command["env"]["PATH"] += ":" + os.environ["PATH"]
        return subprocess.Popen(
            **command, cwd=self.folder, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
        )

    def __call__(self, *words, status=0, **settings):
        """(stdout, stderr) of a command that must exit so."""
        process = self.start(*words, **settings)
        out, err = process.communicate(timeout=90)
        assert process.returncode == status, err
        return out, err

    def run(self, *words, status=0, **settings):
        """The run that `verdict run` made, and what was said of it."""
        out, err = self("run", "--json", *words, status=status, **settings)
        return json.loads(out), err

    def trigger(self, *words, **settings):
        return self("trigger", *words, **settings)[0].strip()

    def wait_running(self, run):
        def running():
            return self.verdict.api.get(f"/v1/runs/{run}")["state"] == "running"

        wait_until(running, 30, f"run {run} to be running")

    def in_terminal(self, *words, columns=80, **settings):
        """What a command writes to a terminal of that width, and its exit status."""
        ours, theirs = pty.openpty()
        fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", 24, columns, 0, 0))
        command = self.verdict.cli(*words, TERM="xterm", **settings)
        process = subprocess.Popen(
            **command, stdin=theirs, stdout=theirs, stderr=theirs, cwd=self.folder
        )
        os.close(theirs)
        seen = b""
        with contextlib.suppress(OSError):  # the other side is closed
            while part := os.read(ours, 4096):
                seen += part
        os.close(ours)
        return seen.decode(), process.wait(timeout=60)
