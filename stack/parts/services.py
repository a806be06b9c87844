# SPDX-License-Identifier: Apache-2.0
"""Verdict's own processes: which programs, with which settings."""

import os
import pathlib
import secrets
import subprocess
import urllib.error
import urllib.request

from .files import write_private
from .postgres import with_user
from .process import Process, StackError

TOP = pathlib.Path(__file__).resolve().parents[2]
PROGRAMS = TOP / "build" / "bin"

# Every service but the executor has a role of its own in Postgres.
ROLES = {
    "api-ingest": "verdict_api",
    "scheduler": "verdict_scheduler",
    "result-collector": "verdict_collector",
    "notifier": "verdict_notifier",
}
NAMES = [*ROLES, "executor"]


class Service(Process):
    """One running program; `name` tells two instances of one program apart."""

    def __init__(self, folder, program, health_port, settings, name=None, binaries=PROGRAMS):
        self.program = program
        self.health_port = health_port
        env = {"VERDICT_HEALTH_LISTEN": f"127.0.0.1:{health_port}", **settings}
        self.settings = {key: str(value) for key, value in env.items()}
        argv = [binaries / f"verdict-{program}"]
        super().__init__(name or program, folder, argv, env=self.settings)

    def health(self, path="/readyz"):
        """(status, body) of one of the health pages; (0, reason) when nobody answers."""
        url = f"http://127.0.0.1:{self.health_port}{path}"
        try:
            with _opener.open(url, timeout=5) as answer:
                return answer.status, answer.read().decode(errors="replace")
        except urllib.error.HTTPError as error:
            return error.code, error.read().decode(errors="replace")
        except OSError as error:
            return 0, str(error)

    def is_ready(self):
        return self.health()[0] == 200


# No proxy: everything is on the loopback address.
_opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))


def is_built(program):
    return (PROGRAMS / f"verdict-{program}").exists()


class Admin:
    """Every call of verdict-admin, in one place."""

    def __init__(self, settings):
        self.settings = {key: str(value) for key, value in settings.items()}

    def run(self, *words):
        command = [PROGRAMS / "verdict-admin", *words]
        environment = {"PATH": os.environ.get("PATH", "/usr/bin:/bin"), **self.settings}
        done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
        if done.returncode != 0:
            said = (done.stderr + done.stdout).strip()
            raise StackError(f"verdict-admin {' '.join(map(str, words))} failed: {said}")
        return done.stdout

    def migrate(self):
        return self.run("migrate", "--dir", TOP / "migrations")

    def make_topics(self):
        return self.run("topics")

    def create_join_token(self, path, pool="default"):
        return self.run("pool", "join-token", "--pool", pool, "--output", path)

    def create_token(self, path, name="admin", scopes="admin"):
        return self.run("token", "create", "--name", name, "--scopes", scopes, "--output", path)


def write_key_file(path):
    """The key that seals webhook secrets and signs links."""
    path = pathlib.Path(path)
    if not path.exists():
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        write_private(path, secrets.token_hex(32) + "\n")
    return path


def role_url(url, program, own_roles):
    """The Postgres URL for one service: its own role, where we made the roles."""
    return with_user(url, ROLES[program]) if own_roles else url


def test_path():
    """PATH of the tests that our executors run: pytest is that of .venv."""
    return f"{TOP / '.venv' / 'bin'}:/usr/local/bin:/usr/bin:/bin"
