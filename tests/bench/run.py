#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""make bench: every bench, one after the other, with what it was measured on."""

import os
import pathlib
import platform
import subprocess
import sys

HERE = pathlib.Path(__file__).resolve().parent
TOP = HERE.parents[1]
PYTHON = TOP / ".venv" / "bin" / "python"
BENCHES = ["latency.py", "results.py"]


def processor():
    lines = pathlib.Path("/proc/cpuinfo").read_text().splitlines()
    names = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return names[0] if names else platform.machine()


def memory_gb():
    return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30


def commit():
    done = subprocess.run(
        ["git", "describe", "--always", "--dirty"],
        cwd=TOP,
        capture_output=True,
        text=True,
        check=False,
    )
    return done.stdout.strip() or "unknown"


def main():
    cores = len(os.sched_getaffinity(0))
    load = os.getloadavg()[0]
    print(f"{processor()}, {cores} cores, {memory_gb():.0f} GB; load {load:.1f} at the start")
    print(f"Linux {platform.release()}; commit {commit()}")
    status = 0
    for bench in BENCHES:
        print(flush=True)
        status |= subprocess.run([PYTHON, HERE / bench, *sys.argv[1:]], check=False).returncode
    return status


if __name__ == "__main__":
    sys.exit(main())
