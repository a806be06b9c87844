# SPDX-License-Identifier: Apache-2.0
"""The time from a trigger to its first test process. The bench (tests/bench) has the figures; this
is what a busy machine keeps to as well: an interval that somebody waits for is noticed."""

import random

from bench import latency

MOST_MS = 50  # the median is 10 on two cores, 12 beside four busy loops


def test_a_trigger_soon_runs(verdict, tmp_path):
    stamps = latency.Stamps(tmp_path)
    source = tmp_path / "source"
    source.mkdir()
    verdict.source_roots.append(tmp_path)
    verdict.start_all()
    latency.make_suite(verdict, source, stamps)

    times = latency.measure_whole(verdict, stamps, 200, random.Random(1))

    assert times["p50_ms"] < MOST_MS, times
