# SPDX-License-Identifier: Apache-2.0
"""A suite of pytest on two slots, from trigger to verdict: 60 cases that sleep between 20 ms and
1.5 s, declared, so that they are cut by how long they took before. Beside it pytest-xdist on the
same files, and the least time that two can take."""

import random
import re
import subprocess
import time

from bench.rig import Row, fits, make_suite
from parts.process import wait_until

FILES, CASES = 6, 10


def write(folder):
    """Seconds of all cases."""
    chance, slept = random.Random(1), []
    folder.mkdir(exist_ok=True)
    (folder / "pytest.ini").write_text("[pytest]\n")  # names begin here, wherever that is
    for file in range(FILES):
        text = ["import time\n"]
        for case in range(CASES):
            slept.append(round(min(1.5, max(0.02, chance.expovariate(4))), 3))
            text.append(f"\n\ndef test_{case}():\n    time.sleep({slept[-1]})\n")
        (folder / f"test_{file}.py").write_text("".join(text))
    return slept


def xdist_s(bench, folder):
    command = [bench.python(), "-m", "pytest", "-q", "-n", "2", "-p", "no:cacheprovider", folder]
    began = time.monotonic()
    done = subprocess.run(
        [str(word) for word in command], capture_output=True, text=True, check=False, cwd=folder
    )
    if not re.search(rf"\b{FILES * CASES} passed", done.stdout):
        raise RuntimeError(f"pytest-xdist: {done.stdout[-2000:]}")
    return time.monotonic() - began


def verdict_s(verdict):
    began = time.monotonic()
    run = verdict.api.post("/v1/runs", {"project": "bench", "suite": "real"})["id"]
    final = verdict.wait_final(run, 120)
    took_s = time.monotonic() - began
    if final["state"] != "passed":
        raise RuntimeError(f"the suite is {final['state']}: {final['reason_text']}")
    counted = "SELECT in_statistics FROM results.run_totals WHERE run_id = %s"
    wait_until(lambda: verdict.db.value(counted, run), 60, "the run to be counted")
    return took_s


def measure(bench):
    names = ["api-ingest", "scheduler", "result-collector", "notifier", "executor-1"]
    with bench.verdict(*names) as verdict:
        source = verdict.folder / "source"
        slept = write(source)
        cases = [f"test_{f}.py::test_{c}" for f in range(FILES) for c in range(CASES)]
        spec = {"framework": "pytest", "cases": cases}
        make_suite(verdict, spec, name="real")
        values = bench.repeat(lambda: verdict_s(verdict))
        peer = bench.repeat(lambda: xdist_s(bench, source)) if bench.python() else []
    least_s = max(sum(slept) / 2, max(slept))
    name = "a suite on two slots, trigger → verdict"
    beside = "pytest-xdist -n 2" if peer else "pytest-xdist: missing"
    row = Row(name, "s", values, beside, peer, "≤ 1.05 ×")
    bound = Row("… the same", "s", values, "least possible on two", [least_s], "≤ 1.05 ×")
    return [fits(row, ratio_most=1.05), fits(bound, ratio_most=1.05)]
