# SPDX-License-Identifier: Apache-2.0
"""A source directory that a worker sees, and runs of what is in it."""

import pathlib
import subprocess
import textwrap

SERVICES = ("api-ingest", "scheduler", "result-collector", "executor")

POLICY = {"task_timeout_ms": 60000, "run_timeout_ms": 120000, "grace_ms": 500}


def start(verdict):
    for name in SERVICES:
        verdict.start(name, wait=False)
    for name in SERVICES:
        verdict.services[name].wait_ready()
    verdict.api.put("/v1/projects/shop", {"title": "Shop"})


class Project:
    """A source directory that the worker sees, and runs of what is in it."""

    def __init__(self, verdict, name):
        self.verdict = verdict
        self.folder = verdict.folder / "sources" / name
        self.folder.mkdir(parents=True)

    def write(self, name, text):
        path = self.folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(textwrap.dedent(text))
        return path

    def trigger(self, framework, *command, policy=None, run=None, **suite):
        source = {"kind": "path", "path": str(self.folder)}
        spec = {"slug": "suite", "framework": framework, "source": source, **suite}
        if command:
            spec["command"] = list(command)
        body = {"project": "shop", "suite": spec, "policy": {**POLICY, **(policy or {})}}
        return self.verdict.api.post("/v1/runs", {**body, **(run or {})}, expect=201)["id"]

    def run(self, framework, *command, **more):
        return self.verdict.wait_final(self.trigger(framework, *command, **more))

    def results(self, run):
        rows = self.verdict.db.query(
            """SELECT name, class, parameters, status, message, trace FROM results.result
               WHERE run_id = %s ORDER BY class, name, parameters""",
            run["id"],
        )
        return {(row["name"], row["parameters"]): row for row in rows}

    def log(self, run, stream=None):
        rows = self.verdict.db.query(
            "SELECT stream, text FROM results.log_chunk WHERE run_id = %s ORDER BY seq", run["id"]
        )
        return "".join(row["text"] for row in rows if stream in (None, row["stream"]))


def git(folder, *words):
    who = ["-c", "user.name=t", "-c", "user.email=t@example.org"]
    done = subprocess.run(
        ["git", *who, *words], cwd=folder, check=True, capture_output=True, text=True
    )
    return done.stdout.strip()


def pid_is_gone(path):
    pid = int(path.read_text())
    try:
        stat = pathlib.Path(f"/proc/{pid}/stat").read_text()
    except OSError:
        return True
    return stat.rpartition(")")[2].split()[0] in "ZX"
