# SPDX-License-Identifier: Apache-2.0
"""The long storm: 200 runs that their tests end, with 10,000 results, and those that are cancelled
or make room; each service is killed at least five times in work."""

import pytest
from support.storm import run_storm


@pytest.mark.timeout(1800)
def test_a_long_storm_loses_nothing_and_doubles_nothing(verdict, receiver, tmp_path, seed, tell):
    kills, evidence = run_storm(
        verdict,
        receiver,
        tmp_path / "work",
        seed,
        orders=240,
        cases=50,
        trigger_s=0.6,
        gap_s=(1.0, 3.0),
        timeout_s=1200,
    )

    tell(kills=sum(kills.values()), runs=evidence.runs, results=evidence.results)
    assert min(kills.values()) >= 5, kills
    assert evidence.decided >= 200, evidence
    assert evidence.results >= 10000, evidence
