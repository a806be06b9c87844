# SPDX-License-Identifier: Apache-2.0
"""wrk, the load client, and what it saw."""

import json
import pathlib
import subprocess

LUA = pathlib.Path(__file__).resolve().parent / "load"


def wrk(url, script, *words, connections=64, threads=2, seconds=5):
    """Each script of load/ prints one line of JSON at its end: requests, errors, seconds, p50_ms,
    p99_ms."""
    command = ["wrk", "-t", threads, "-c", connections, "-d", f"{seconds}s", "--timeout", "30s"]
    command += ["-s", LUA / f"{script}.lua", url, "--", *words]
    done = subprocess.run(
        [str(word) for word in command], capture_output=True, text=True, check=False
    )
    lines = [line for line in done.stdout.splitlines() if line.startswith("{")]
    if done.returncode != 0 or not lines:
        raise RuntimeError(f"wrk failed: {done.stderr or done.stdout}")
    seen = json.loads(lines[-1])
    if seen["errors"]:
        raise RuntimeError(f"{seen['errors']} of {seen['requests']} requests failed at {url}")
    seen["rate"] = seen["requests"] / seen["seconds"]
    return seen
