# SPDX-License-Identifier: Apache-2.0
"""P1, P2, P3: whatever service dies whenever, accepted triggers become runs, runs become final, and
results are counted once. The short storm; tests/chaos has the long one."""

from support.storm import run_storm


def test_a_short_storm_loses_nothing_and_doubles_nothing(verdict, receiver, tmp_path, seed):
    kills, evidence = run_storm(
        verdict,
        receiver,
        tmp_path / "work",
        seed,
        orders=48,
        cases=40,
        trigger_s=0.3,
        gap_s=(0.3, 1.2),
        timeout_s=120,
    )

    assert min(kills.values()) >= 1, kills
    assert sum(kills.values()) >= 10, kills
    assert evidence.results >= 1500, evidence
