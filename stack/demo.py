#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""make demo: the private stack, and on it the runs of two real suites.

The suites are examples/shop (pytest; one of its cases fails) and Verdict's own unit tests (cmocka).
The runs are triggered, followed and shown by the users' command, build/bin/verdict. The exit status
is 0 when all of it went as it should, whatever verdict the shop has earned.
"""

import dataclasses
import json
import os
import shlex
import subprocess
import sys
import time
import urllib.error
import urllib.request

from parts.process import StackError
from parts.services import PROGRAMS, TOP

from stack import Stack, locked

SHARE_FOR = "7d"


@dataclasses.dataclass(frozen=True)
class Suite:
    """One of the demo's suites, and the verdict that it must get."""

    title: str
    file: str
    project: str
    suite: str
    state: str
    failed: int
    options: tuple = ()


SUITES = [
    Suite(
        title="Verdict's own unit tests (cmocka)",
        file="verdict.yaml",
        project="verdict",
        suite="units",
        state="passed",
        failed=0,
    ),
    Suite(
        title="a sample project, examples/shop (pytest): one case fails, on purpose",
        file="examples/shop/verdict.yaml",
        project="shop",
        suite="shop",
        state="failed",
        failed=1,
        options=("--environment", "staging"),
    ),
]

NEXT = """
The services go on running. What to type next:

  . {env}{space}   # server and token, for this shell
  build/bin/verdict results {number} --status failed
  build/bin/verdict logs {number}
  build/bin/verdict run --project shop -- .venv/bin/pytest -k cart examples/shop
  build/bin/verdict --help
  curl -H "Authorization: Bearer $VERDICT_TOKEN" $VERDICT_URL/v1/runs/{number}
  make status                # what runs, and where
  make down                  # stop it
"""


def say(text):
    print(text, file=sys.stderr, flush=True)


def is_pretty():
    return sys.stderr.isatty() and "NO_COLOR" not in os.environ


def headline(text):
    say(f"\n\033[1m=== {text}\033[0m" if is_pretty() else f"\n=== {text}")


class Demo:
    def __init__(self, stack):
        self.stack = stack
        self.token = stack.admin_token.read_text().strip()
        self.opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))

    def cli(self, *words, **options):
        settings = {"VERDICT_URL": self.stack.api_url, "VERDICT_TOKEN": self.token}
        environment = {**os.environ, **settings}
        command = [PROGRAMS / "verdict", *words]
        return subprocess.run(command, env=environment, cwd=TOP, check=False, **options)

    def call(self, method, path, body=None):
        request = urllib.request.Request(
            self.stack.api_url + path,
            method=method,
            data=None if body is None else json.dumps(body).encode(),
            headers={
                "Authorization": f"Bearer {self.token}",
                "Content-Type": "application/json",
            },
        )
        try:
            with self.opener.open(request, timeout=30) as answer:
                return json.load(answer)
        except urllib.error.HTTPError as error:
            said = error.read().decode(errors="replace")
            raise StackError(f"{method} {path}: {error.code} {said}") from None
        except OSError as error:
            raise StackError(f"{method} {path}: {error}") from None

    def run(self, suite):
        """Applies the suite's file, runs it in sight, and returns the finished run."""
        headline(suite.title)
        if self.cli("apply", "-f", suite.file).returncode != 0:
            raise StackError(f"verdict apply -f {suite.file} failed")
        words = ["run", "--json", "--project", suite.project, "--suite", suite.suite]
        done = self.cli(*words, *suite.options, stdout=subprocess.PIPE, text=True)
        try:
            return json.loads(done.stdout)
        except ValueError:
            raise StackError(
                f"verdict run gave no run (exit status {done.returncode}): {done.stdout}"
            ) from None

    def share(self, run):
        path = f"/v1/runs/{run['id']}/share"
        return self.call("POST", path, {"expires_in": SHARE_FOR})["url"]


def is_as_it_should(suite, run):
    totals = run["totals"]
    parts = ("passed", "failed", "errored", "skipped", "blocked", "not_run")
    return (
        run["state"] == suite.state
        and totals["failed"] == suite.failed
        and totals["passed"] > 0
        and totals["planned"] == sum(totals[part] for part in parts)
    )


def start():
    """The stack with our services, as `make up` starts it, and the unit tests' programs."""
    stack = Stack(TOP / ".stack")
    with locked(stack.folder):
        stack.up()
    say(f"Verdict is at {stack.api_url}")
    say("building Verdict's unit tests: they are the first suite that it runs")
    made = subprocess.run(
        ["make", "--no-print-directory", "--silent", "-j2", "units"],
        cwd=TOP,
        check=False,
        stdout=subprocess.DEVNULL,
    )
    if made.returncode != 0:
        raise StackError("the unit tests could not be built; see above")
    return stack


def main():
    began = time.monotonic()
    stack = start()
    demo = Demo(stack)
    runs = [(suite, demo.run(suite)) for suite in SUITES]

    headline("Reports, for any browser on this machine, for seven days")
    for suite, run in runs:
        say(f"{run['state']:<8} {suite.project}/{suite.suite}\n         {demo.share(run)}")
    env = shlex.quote(os.path.relpath(stack.folder / "env"))
    say(NEXT.format(env=env, space=" " * (22 - len(env)), number=runs[-1][1]["number"]))
    wrong = [(suite, run) for suite, run in runs if not is_as_it_should(suite, run)]
    for suite, run in wrong:
        say(
            f"demo: run {run['number']} of {suite.suite} is {run['state']} with {run['totals']}; "
            f"it should be {suite.state} with {suite.failed} failed"
        )
    if not wrong:
        say(f"All went as it should, in {time.monotonic() - began:.1f} s.")
    return 1 if wrong else 0


if __name__ == "__main__":
    try:
        sys.exit(main())
    except StackError as error:
        say(f"demo: {error}")
        sys.exit(1)
    except KeyboardInterrupt:
        sys.exit(130)
