# SPDX-License-Identifier: Apache-2.0
"""P18: the services of the commit named in `previous` beside those of this one, on the database of
this one: as it is for a while in every upgrade."""

import contextlib
import fcntl
import subprocess

import pytest
from parts.services import PROGRAMS
from support import TOP

COMMIT = (TOP / "tests" / "chaos" / "previous").read_text().strip()
FOLDER = TOP / "build" / "previous"


@pytest.fixture(scope="session")
def previous():
    """The programs of that commit, built once from this repository's own history."""
    known = ["git", "cat-file", "-e", f"{COMMIT}^{{commit}}"]
    if subprocess.run(known, cwd=TOP, check=False, capture_output=True).returncode != 0:
        pytest.skip(f"this clone's history does not reach back to {COMMIT[:12]}")
    FOLDER.mkdir(parents=True, exist_ok=True)
    clone = FOLDER / COMMIT
    with (FOLDER / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not clone.exists():
            run("git", "clone", "-q", "--shared", "--no-checkout", TOP, clone)
        run("git", "checkout", "-q", "--detach", COMMIT, cwd=clone)
        run("make", "--no-print-directory", "-s", "-j2", "binaries", cwd=clone)
    return clone / "build" / "bin"


def run(*command, cwd=None):
    done = subprocess.run(command, cwd=cwd, capture_output=True, text=True, check=False)
    assert done.returncode == 0, f"{command}: {done.stdout[-2000:]}{done.stderr[-2000:]}"


@contextlib.contextmanager
def programs_of(verdict, folder):
    """What is started meanwhile comes from there."""
    verdict.binaries = folder
    try:
        yield
    finally:
        verdict.binaries = PROGRAMS


@pytest.mark.parametrize(
    "old", ["scheduler", "executor-1", "result-collector", "notifier", "api-ingest"]
)
def test_one_service_of_the_version_before_does_its_work(verdict, work, previous, old, tell):
    with programs_of(verdict, previous):
        verdict.start(old, wait=False)
    work.start()
    client = work.client(count=30, gap_s=0.1)

    client.start()
    client.finish(60)
    work.wait_all_final(120)
    tell(runs=30)

    work.check()


def test_services_are_renewed_one_by_one_under_load(verdict, work, previous, tell):
    with programs_of(verdict, previous):
        work.start()
    names = list(verdict.services)
    client = work.client(count=120, gap_s=0.15)

    client.start()
    for name in names:
        verdict.stop(name)
        del verdict.services[name]
        verdict.start(name)
    client.finish(120)
    work.wait_all_final(120)
    tell(runs=120)

    work.check()
