# SPDX-License-Identifier: Apache-2.0
"""P15: the wall clock of one service jumps an hour forward, two back and home again, under load.
Its monotonic clock and Postgres' clock go on as they are."""

import datetime
import email.utils
import pathlib
import subprocess

import pytest
import requests
from parts.process import wait_until
from support.size import size
from support.storm import TARGETS

FINAL_RUNS = "SELECT count(*) FROM scheduling.run_state WHERE finished_at IS NOT NULL"
LOST = """SELECT (SELECT count(*) FROM scheduling.worker WHERE state = 'lost')
               + (SELECT count(*) FROM scheduling.task WHERE attempt > 1)"""
HOUR_S = 3600
JUMPS = (HOUR_S, -HOUR_S, 0)


# librdkafka waits by C11's names, which libfaketime does not know: it would wait by the real clock
# for a time of the other one. glibc's types are the same.
BRIDGE = r"""
#include <errno.h>
#include <pthread.h>
#include <threads.h>

int cnd_timedwait(cnd_t *condition, mtx_t *mutex, const struct timespec *until)
{
    int status =
        pthread_cond_timedwait((pthread_cond_t *)condition, (pthread_mutex_t *)mutex, until);
    return status == 0 ? thrd_success : status == ETIMEDOUT ? thrd_timedout : thrd_error;
}
"""


@pytest.fixture
def libraries(tmp_path):
    """What a process is started with to have a wall clock of its own."""
    source, bridge = tmp_path / "bridge.c", tmp_path / "bridge.so"
    source.write_text(BRIDGE)
    subprocess.run(["gcc", "-shared", "-fPIC", "-o", bridge, source], check=True)
    return f"{bridge}:{library()}"


def library():
    """Debian's libfaketime, the one for programs with threads."""
    found = sorted(pathlib.Path("/usr/lib").glob("*/faketime/libfaketimeMT.so.1"))
    assert found, "libfaketime is missing; get it: make setup"
    return found[0]


def ahead_s(service):
    """How far its wall clock is ahead of ours, by the date of its answers."""
    answer = requests.get(f"http://127.0.0.1:{service.health_port}/readyz", timeout=30)
    told = email.utils.parsedate_to_datetime(answer.headers["Date"])
    return (told - datetime.datetime.now(datetime.UTC)).total_seconds()


@pytest.mark.parametrize("name", size(["scheduler"], TARGETS))
def test_a_clock_that_jumps_changes_nothing(verdict, work, tmp_path, libraries, name, tell):
    clock = tmp_path / "clock"
    clock.write_text("+0")
    work.start()
    fake = {
        "LD_PRELOAD": libraries,
        "FAKETIME_TIMESTAMP_FILE": clock,
        "FAKETIME_NO_CACHE": 1,
        "FAKETIME_DONT_FAKE_MONOTONIC": 1,
    }
    service = verdict.start(name, **fake)
    client = work.client(count=size(24, 60), gap_s=0.1)

    client.start()
    for jump_s in JUMPS:
        wait_until(verdict.open_runs, 30, "work in flight")
        ended = verdict.db.value(FINAL_RUNS)
        clock.write_text(f"{jump_s:+d}")
        wait_until(
            lambda b=ended: verdict.db.value(FINAL_RUNS) >= b + 3 or not client.is_alive(),
            60,
            "ends",
        )
        wait_until(lambda j=jump_s: abs(ahead_s(service) - j) < 60, 30, f"{name}'s clock to jump")
    client.finish(60)
    work.wait_all_final()
    tell(jumps=len(JUMPS))

    assert verdict.db.value(LOST) == 0, "a lease was lost by a clock"
    work.check()
