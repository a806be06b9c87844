# SPDX-License-Identifier: Apache-2.0
"""P17: at half of the load that the machine can bear, memory and descriptors of the services stay
as they are. `make soak` takes half an hour; in so short a time as here only descriptors tell."""

import os
import pathlib
import threading
import time

import pytest
from support.size import size
from support.workload import Client

MINUTES = float(os.environ.get("VERDICT_SOAK_MINUTES") or size(0.1, 2))
TELLS_SLOPES_MINUTES = 20
SLOPE_MB_H = 1
SPARE_DESCRIPTORS = 8  # connections that come and go
GAUGE = 20  # runs


class Samples:
    """Of one process: (seconds, resident MB, descriptors)."""

    def __init__(self, pid):
        self.folder = pathlib.Path(f"/proc/{pid}")
        self.taken = []

    def take(self, now_s):
        pages = int((self.folder / "statm").read_text().split()[1])
        resident_mb = pages * os.sysconf("SC_PAGESIZE") / 1e6
        self.taken.append((now_s, resident_mb, len(os.listdir(self.folder / "fd"))))

    def settled(self):
        """Without the first third: buffers fill, pools grow to their size."""
        return self.taken[len(self.taken) // 3 :]

    def slope_mb_h(self):
        """By least squares."""
        times, sizes, _ = zip(*self.settled(), strict=True)
        mean_s, mean_mb = sum(times) / len(times), sum(sizes) / len(sizes)
        spread = sum((t - mean_s) ** 2 for t in times)
        pairs = zip(times, sizes, strict=True)
        return 3600 * sum((t - mean_s) * (mb - mean_mb) for t, mb in pairs) / spread

    def more_descriptors(self):
        """In the last half of the settled time than ever in the first."""
        counts = [count for _, _, count in self.settled()]
        middle = len(counts) // 2
        return max(counts[middle:]) - max(counts[:middle])


def runs_per_s(work):
    """What the machine bears."""
    began = time.monotonic()
    for _ in range(GAUGE):
        work.trigger("tap")
    work.wait_all_final(120)
    return GAUGE / (time.monotonic() - began)


@pytest.mark.timeout(600 + MINUTES * 90)
def test_nothing_leaks_at_half_load(verdict, work, tell):
    work.start(VERDICT_SLOTS=4)
    work.suites["tap"].resize(cases=5, pause_ms=0)
    rate = runs_per_s(work) / 2
    samples = {name: Samples(service.pid()) for name, service in verdict.services.items()}
    client = Client(work, ["tap"] * max(1, round(rate * MINUTES * 60)), 1 / rate)

    client.start()
    began, stopped = time.monotonic(), threading.Event()
    while client.is_alive() and not stopped.wait(max(0.1, MINUTES / 20)):
        for one in samples.values():
            one.take(time.monotonic() - began)
    client.finish(120)
    work.wait_all_final(120)

    slopes = {name: one.slope_mb_h() for name, one in samples.items()}
    more = {name: one.more_descriptors() for name, one in samples.items()}
    tell(runs=len(client.orders), minutes=round((time.monotonic() - began) / 60, 1))
    if MINUTES >= TELLS_SLOPES_MINUTES:
        tell(**{f"{name} MB/h": round(slope, 2) for name, slope in slopes.items()})
        assert max(slopes.values()) < SLOPE_MB_H, slopes
    assert max(more.values()) <= SPARE_DESCRIPTORS, more
    work.check()
