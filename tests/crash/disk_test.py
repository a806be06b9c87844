# SPDX-License-Identifier: Apache-2.0
"""P16: a worker whose disk is full loses nothing, takes nothing new, and goes on when it can."""

import subprocess

import pytest
from parts.process import wait_until
from support import disk

SERVICES = ("api-ingest", "scheduler", "result-collector", "executor")
SCRIPT = """
echo started >started
while [ ! -e go ]; do sleep 0.05; done
i=0
while [ $i -lt 300 ]; do i=$((i + 1)); echo "ok $i - case $i"; done
echo "1..$i"
"""


@pytest.fixture
def small_disk(verdict):
    """16 MB under the executor's spool."""
    yield from mounted(verdict, verdict.folder / "executor" / "spool", "size=16m")


@pytest.fixture
def small_work_disk(verdict):
    """Room for two more files under the executor's working directory."""
    yield from mounted(verdict, verdict.folder / "executor" / "work", "nr_inodes=3")


def mounted(verdict, folder, options):
    with disk.small_disk(folder, options):
        yield folder
        if "executor" in verdict.services:
            verdict.stop("executor")


def free_slots(verdict):
    """As the last heartbeat says."""
    heartbeats = [m for m in verdict.bus.read_json("scheduling") if m["type"] == "worker.heartbeat"]
    return max(heartbeats, key=lambda m: m["seq"])["free_slots"]


def start(verdict):
    source = verdict.folder / "source"
    source.mkdir()
    for name in SERVICES:
        verdict.start(name, wait=False)
    for name in SERVICES:
        verdict.services[name].wait_ready()
    verdict.api.put("/v1/projects/shop", {"title": "Shop"})
    return source


def test_a_full_spool_disk_delays_and_loses_nothing(verdict, small_disk):
    source = start(verdict)
    suite = {
        "slug": "suite",
        "framework": "command",
        "source": {"kind": "path", "path": str(source)},
        "command": ["sh", "-c", SCRIPT],
        "report": {"format": "tap"},
    }
    body = {"project": "shop", "suite": suite}
    first = verdict.api.post("/v1/runs", body, expect=201)["id"]
    wait_until(lambda: (source / "started").exists(), 30, "the tests to run")

    filler = small_disk / "filler"
    subprocess.run(
        ["dd", "if=/dev/zero", f"of={filler}", "bs=64k"], check=False, capture_output=True
    )
    (source / "go").touch()
    executor = verdict.services["executor"]
    wait_until(lambda: "disk is full" in executor.health()[1], 30, "the executor to say so")
    wait_until(lambda: free_slots(verdict) == 0, 30, "the worker to take nothing new")
    second = verdict.api.post("/v1/runs", body, expect=201)["id"]
    assert verdict.api.get(f"/v1/runs/{first}")["state"] == "running"

    filler.unlink()

    for run in (verdict.wait_final(first), verdict.wait_final(second)):
        assert (run["state"], run["totals"]["passed"]) == ("passed", 300)
    attempts = "SELECT max(attempt) FROM scheduling.task"
    assert verdict.db.value(attempts) == 1


def test_tasks_that_have_no_room_to_begin_wait_for_it(verdict, small_work_disk):
    source = start(verdict)
    suite = {
        "slug": "suite",
        "framework": "command",
        "source": {"kind": "path", "path": str(source)},
        "command": ["true"],
        "report": {"format": "none"},
    }
    run = verdict.api.post("/v1/runs", {"project": "shop", "suite": suite}, expect=201)["id"]
    executor = verdict.services["executor"]
    wait_until(lambda: "No space left" in executor.health()[1], 30, "the executor to say so")
    wait_until(lambda: free_slots(verdict) == 0, 30, "the worker to take nothing new")

    subprocess.run(["mount", "-o", "remount,nr_inodes=1000", small_work_disk], check=True)

    assert verdict.wait_final(run)["state"] == "passed"


# What a kernel does that cannot write a page: the flush fails, the page is taken for clean, and the
# next flush has nothing to do and succeeds.
LOST_PAGES = """
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

int fdatasync(int fd)
{
    static int failures = 2;
    int (*next)(int) = (int (*)(int))dlsym(RTLD_NEXT, "fdatasync");
    char link[64], path[4096] = "";
    struct stat status;
    snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
    if (readlink(link, path, sizeof path - 1) < 0 || strstr(path, ".spool") == NULL ||
        failures == 0 || fstat(fd, &status) < 0)
        return next(fd);
    failures--;
    if (ftruncate(fd, 0) == 0 && ftruncate(fd, status.st_size) == 0)
        errno = EIO;
    return -1;
}
"""


def test_what_a_failed_flush_leaves_unwritten_is_written_again(verdict):
    library = verdict.folder / "lost_pages.so"
    command = ["gcc", "-shared", "-fPIC", "-x", "c", "-o", library, "-"]
    subprocess.run(command, input=LOST_PAGES, text=True, check=True)
    source = start(verdict)
    verdict.start("executor", LD_PRELOAD=library)
    (source / "go").touch()
    suite = {
        "slug": "suite",
        "framework": "command",
        "source": {"kind": "path", "path": str(source)},
        "command": ["sh", "-c", SCRIPT],
        "report": {"format": "tap"},
    }

    run = verdict.api.post("/v1/runs", {"project": "shop", "suite": suite}, expect=201)["id"]
    final = verdict.wait_final(run, 60)

    assert (final["state"], final["totals"]["passed"]) == ("passed", 300)
    beats = [m for m in verdict.bus.read_json("scheduling") if m["type"] == "worker.heartbeat"]
    assert 0 in [beat["free_slots"] for beat in beats], "it takes nothing new meanwhile"
    assert verdict.db.value("SELECT max(attempt) FROM scheduling.task") == 1
    assert verdict.services["executor"].health()[0] == 200
