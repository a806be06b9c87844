# SPDX-License-Identifier: Apache-2.0
"""What CI servers read: the log of a step as GitHub's runner reads it, and files of variables."""

import re


def github(cli, **more):
    """The environment of a step of GitHub Actions."""
    for name in ("summary.md", "output"):
        (cli.folder / name).touch()
    files = {
        "GITHUB_STEP_SUMMARY": str(cli.folder / "summary.md"),
        "GITHUB_OUTPUT": str(cli.folder / "output"),
    }
    place = {"GITHUB_ACTIONS": "true", "GITHUB_WORKSPACE": str(cli.folder)}
    return {**place, **files, **more}


class Runner:
    """Reads a step's log as GitHub's runner does: its commands, and the lines that are none."""

    KNOWN = ("error", "warning", "notice", "group", "add-mask", "set-env", "add-path", "set-output")

    def __init__(self, *streams):
        self.commands = []
        self.stop = None
        for stream in streams:
            for line in stream.splitlines():
                self._read(line)

    def _read(self, line):
        match = re.match(r"\s*::([^ :]+)(?: ([^\n]*?))?::(.*)", line)
        old = re.search(r"##\[([^ \]]+)([^\]]*)\](.*)", line)
        name, rest, data = (match or old).groups() if match or old else (None, None, None)
        if self.stop is not None:
            self.stop = None if name == self.stop else self.stop
        elif name == "stop-commands":
            self.stop = data
        elif name in self.KNOWN:
            pairs = [pair.split("=", 1) for pair in (rest or "").split(",") if "=" in pair]
            self.commands.append((name, {k: _plain(v) for k, v in pairs}, _plain(data)))


def _plain(text):
    for escaped, plain in (("%3A", ":"), ("%2C", ","), ("%0D", "\r"), ("%0A", "\n"), ("%25", "%")):
        text = text.replace(escaped, plain)
    return text


def variables(path):
    return dict(line.split("=", 1) for line in path.read_text().splitlines())
