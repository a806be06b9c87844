# SPDX-License-Identifier: Apache-2.0
"""One installation of Verdict in a test: services that start, die and come back on demand.

verdict.start_all()                       # five services and one executor
run = verdict.api.post("/v1/runs", {...}, expect=201)
verdict.kill("scheduler"); verdict.start("scheduler")
rows = verdict.db.query("SELECT state FROM scheduling.task")
"""

import pathlib
import signal

from parts.process import wait_until
from parts.services import (
    PROGRAMS,
    ROLES,
    Admin,
    Service,
    is_built,
    role_url,
    test_path,
    write_key_file,
)

from . import TOP
from .api import Api
from .bus import Bus
from .database import Database
from .servers import new_ports, release_ports

SERVICES = [*ROLES]

# Short times, so that what takes a minute in the field takes seconds here; a test changes them by
# start(name, VERDICT_…=…).
_MEMBER = {"VERDICT_SESSION_TIMEOUT": "3s", "VERDICT_GROUP_HEARTBEAT": "300ms"}
FAST = {
    "scheduler": {
        **_MEMBER,
        "VERDICT_WORKER_SUSPECT": "2s",
        "VERDICT_WORKER_LOST": "5s",
        "VERDICT_DISPATCH_ACK": "2s",
        "VERDICT_SYNC_INTERVAL": "1s",
        "VERDICT_REAPER_INTERVAL": "200ms",
    },
    "result-collector": _MEMBER,
    "notifier": _MEMBER,
    "executor": {"VERDICT_HEARTBEAT": "500ms", "VERDICT_RESEND": "3s"},
}


def program_of(name):
    """ "scheduler-2" is a second instance of the program "scheduler"."""
    head, _, tail = name.rpartition("-")
    return head if tail.isdigit() else name


class Verdict:
    """Everything that one test starts, and what it asks questions with."""

    def __init__(self, folder, servers, times=FAST, **settings):
        self.folder = pathlib.Path(folder)
        self.servers = servers
        self.times = times
        self.number, self.urls = servers.new_installation()
        self.settings = {**self.urls, **settings}
        self.services = {}
        self.binaries = PROGRAMS
        self._base = new_ports()
        self._given = 1  # the first port is the API's
        self.api_port = self._base
        self.api_url = f"http://127.0.0.1:{self.api_port}"
        self.key_file = write_key_file(self.folder / "secrets" / "key")
        self.join_token = self.folder / "secrets" / "join-token"
        self.admin_token = self.folder / "secrets" / "admin-token"
        self.source_roots = [self.folder, TOP]
        self.admin = Admin({**self.settings, "VERDICT_KEY_FILE": self.key_file})
        self.db = Database(self.urls["VERDICT_POSTGRES_URL"])
        self.bus = Bus(self.urls["VERDICT_KAFKA_BROKERS"], self.urls["VERDICT_TOPIC_PREFIX"])
        self._api = None
        self._prepare()

    # services --------------------------------------------------------------------------------

    def start(self, name, wait=True, **settings):
        """Starts a service (or starts it again as it was last started) and waits until it is ready.

        `name` is a program ("scheduler") or one more instance of it ("scheduler-2", "executor-1").
        With other settings, the one that runs is stopped first.
        """
        service = self.services.get(name)
        if service is not None and settings:
            service.stop()
        if service is None or settings:
            service = self.services[name] = self._make(name, settings)
        service.start()
        if wait:
            service.wait_ready()
        return service

    def start_all(self, executors=1, **settings):
        names = [
            *[n for n in SERVICES if is_built(n)],
            *(f"executor-{n + 1}" for n in range(executors)),
        ]
        for name in names:
            self.start(name, wait=False, **settings)
        for name in names:
            self.services[name].wait_ready()

    def kill(self, name):
        """kill -9."""
        self.services[name].kill()

    def stop(self, name):
        """SIGTERM; returns the exit status."""
        self.services[name].stop()
        return self.services[name].exit_status()

    def restart(self, name):
        self.stop(name)
        return self.start(name)

    def pause(self, name):
        self.services[name].signal(signal.SIGSTOP)

    def resume(self, name):
        self.services[name].signal(signal.SIGCONT)

    def close(self):
        for service in self.services.values():
            service.signal(signal.SIGCONT)
            service.signal(signal.SIGTERM)
        for service in self.services.values():
            service.stop_timeout_s = 10
            service.stop()
        release_ports(self._base)
        self.db.close()
        if self.servers.kafka.is_running():
            self.bus.close()
        if self.servers.postgres.is_running():
            self.servers.drop_installation(self.number)

    def logs(self, lines=40):
        """The end of every log, for a test that failed."""
        return {name: service.log_tail(lines) for name, service in self.services.items()}

    # questions -------------------------------------------------------------------------------

    @property
    def api(self):
        """A client with the administrator's token."""
        if self._api is None:
            self._api = Api(self.api_url, self.admin_token.read_text().strip())
        return self._api

    def cli(self, *words, **settings):
        """The command line and environment of the users' command, for subprocess.run."""
        environment = {"VERDICT_URL": self.api_url, "PATH": "/usr/bin:/bin"}
        environment["VERDICT_TOKEN"] = self.admin_token.read_text().strip()
        return {"args": [self.binaries / "verdict", *words], "env": {**environment, **settings}}

    def wait_final(self, run_id, timeout_s=60):
        """Waits until a run is final, and returns it."""
        final = ("passed", "failed", "errored", "cancelled", "timed_out")

        def finished():
            run = self.api.get(f"/v1/runs/{run_id}")
            return run if run["state"] in final else None

        return wait_until(finished, timeout_s, f"run {run_id} to be final")

    def open_runs(self):
        """How many runs are not final yet, the ones that no scheduler has seen included."""
        return self.db.value(
            """SELECT count(*) FROM api.run r LEFT JOIN scheduling.run_state s ON s.run_id = r.id
               WHERE s.finished_at IS NULL"""
        )

    # how -------------------------------------------------------------------------------------

    def _prepare(self):
        self.admin.make_topics()
        self.admin.create_join_token(self.join_token)
        self.admin.create_token(self.admin_token)

    def _make(self, name, settings):
        program = program_of(name)
        if not is_built(program):
            raise FileNotFoundError(f"verdict-{program} is not built; run: make")
        port = self._base + self._given
        self._given += 1
        base = {**self.settings, **self.times.get(program, {}), **self._settings_of(name, program)}
        return Service(self.folder, program, port, {**base, **settings}, name, self.binaries)

    def _settings_of(self, name, program):
        settings = {"VERDICT_INSTANCE_ID": f"{program}-1" if name == program else name}
        if program in ROLES:
            url = self.urls["VERDICT_POSTGRES_URL"]
            settings["VERDICT_POSTGRES_URL"] = role_url(url, program, own_roles=True)
        if program == "api-ingest":
            settings["VERDICT_API_LISTEN"] = f"127.0.0.1:{self.api_port}"
        if program in ("api-ingest", "notifier"):
            settings["VERDICT_PUBLIC_URL"] = self.api_url
            settings["VERDICT_KEY_FILE"] = self.key_file
        if program == "notifier":
            settings["VERDICT_WEBHOOK_ALLOW_PRIVATE"] = "true"
        if program == "executor":
            settings |= self._executor_settings(name)
        return settings

    def _executor_settings(self, name):
        folders = {
            f"VERDICT_{kind.upper()}_DIR": self.folder / name / kind
            for kind in ("spool", "work", "secrets")
        }
        for folder in folders.values():
            folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        return {
            **folders,
            "VERDICT_API_URL": self.api_url,
            "VERDICT_JOIN_TOKEN_FILE": self.join_token,
            "VERDICT_WORKER_NAME": name,
            "VERDICT_SLOTS": 2,
            "VERDICT_PLUGIN_DIR": TOP / "integrations",
            "VERDICT_TEST_PATH": test_path(),
            "VERDICT_SOURCE_ROOTS": ":".join(str(root) for root in self.source_roots),
        }
