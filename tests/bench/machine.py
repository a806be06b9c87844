# SPDX-License-Identifier: Apache-2.0
"""What was measured on: it stands above the table."""

import os
import pathlib
import platform
import re
import subprocess

from bench.rig import TOP

PROGRAMS = {
    "Postgres": ["/usr/lib/postgresql/15/bin/postgres", "--version"],
    "Redis": ["redis-server", "--version"],
    "Java": ["java", "-version"],
    "gcc": ["gcc", "--version"],
}
LIBRARIES = ["libmicrohttpd", "rdkafka", "libpq", "libcurl", "hiredis", "jansson"]


def said_by(command):
    try:
        done = subprocess.run(command, capture_output=True, text=True, check=False, cwd=TOP)
    except OSError:
        return ""
    return (done.stdout or done.stderr).strip()


def version_of(command):
    found = re.search(r"\d+\.\d+[.\d]*", said_by(command).partition("\n")[0])
    return found[0] if found else "?"


def processor():
    lines = pathlib.Path("/proc/cpuinfo").read_text().splitlines()
    names = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return names[0] if names else platform.machine()


def memory_gb():
    return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30


def fsync_us(folder):
    """What one fdatasync costs where Postgres' data lies."""
    path = pathlib.Path(folder) / "fsync-test"
    tool = "/usr/lib/postgresql/15/bin/pg_test_fsync"
    said = said_by([tool, "-s", "1", "-f", str(path)])
    path.unlink(missing_ok=True)
    found = re.search(r"fdatasync\s.*?([\d.]+) usecs/op", said)
    return float(found[1]) if found else None


def describe(folder):
    cores = len(os.sched_getaffinity(0))
    cost = fsync_us(folder)
    kafka = os.environ.get("KAFKA_VERSION") or "3.9.2"
    programs = ", ".join(f"{name} {version_of(command)}" for name, command in PROGRAMS.items())
    libraries = ", ".join(
        f"{name} {said_by(['pkg-config', '--modversion', name])}" for name in LIBRARIES
    )
    return [
        f"{processor()}, {cores} cores, {memory_gb():.0f} GB; Linux {platform.release()}; "
        f"load {os.getloadavg()[0]:.1f} at the start",
        f"fdatasync {cost:.0f} µs" if cost else "fdatasync: not measured",
        f"commit {said_by(['git', 'describe', '--always', '--dirty'])}; Kafka {kafka}, {programs}",
        libraries,
        f"{cores} cores run the clients, the services, Postgres, Redis and Kafka together",
    ]
