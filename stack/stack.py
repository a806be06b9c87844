#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""The private stack under .stack/: Postgres, Redis, Kafka, the five services and two executors.

    stack.py up [--servers-only]    start what does not run, wait until all of it is ready
    stack.py down                   stop what `up` started, and nothing else
    stack.py status                 what runs, and where
    stack.py wipe                   down, then forget all data

For shells it writes .stack/env (VERDICT_URL, VERDICT_TOKEN), and .stack/servers, which is what
verdict-admin needs. VERDICT_POSTGRES_URL, VERDICT_KAFKA_BROKERS and VERDICT_REDIS_URL name existing
servers to use instead of private ones. VERDICT_PORT_BASE moves the ports. Needs nothing but Python
itself.
"""

import argparse
import contextlib
import fcntl
import json
import os
import pathlib
import shlex
import shutil
import sys
import time

from parts import ports
from parts.files import make_private, write_private
from parts.kafka import DEFAULT_VERSION, Kafka
from parts.postgres import Postgres
from parts.process import Process, StackError
from parts.redis import Redis
from parts.services import ROLES, TOP, Admin, Service, is_built, role_url, test_path, write_key_file

EXECUTORS = ["executor-1", "executor-2"]

# Offsets from the first port of the stack's block.
PORTS = {
    "postgres": 0,
    "redis": 1,
    "kafka": 2,
    "kafka-controller": 3,
    "api": 4,
    "api-ingest": 5,
    "scheduler": 6,
    "result-collector": 7,
    "notifier": 8,
    "executor-1": 9,
    "executor-2": 10,
}

# Settings that name a server which already exists, and the part that is then not started.
EXTERNAL = {
    "VERDICT_POSTGRES_URL": "postgres",
    "VERDICT_KAFKA_BROKERS": "kafka",
    "VERDICT_REDIS_URL": "redis",
}


def say(text):
    print(f"stack: {text}", file=sys.stderr, flush=True)


class Stack:
    """All parts of one stack. `folder` holds everything that it writes."""

    def __init__(self, folder=TOP / ".stack"):
        self.folder = pathlib.Path(folder).resolve()
        self.secrets = self.folder / "secrets"
        self.key_file = self.secrets / "key"
        self.join_token = self.secrets / "join-token"
        self.admin_token = self.secrets / "admin-token"
        self.state = self._load_state()
        self.external = self._find_external()
        self._make_servers()

    # what it consists of ---------------------------------------------------------------------

    def port(self, part):
        return self.state["base"] + PORTS[part]

    @property
    def api_url(self):
        return f"http://127.0.0.1:{self.port('api')}"

    def _make_servers(self):
        self.postgres = Postgres(self.folder, self.port("postgres"))
        self.redis = Redis(self.folder, self.port("redis"))
        self.kafka = Kafka(
            self.folder, self.port("kafka"), self.port("kafka-controller"), self.state["kafka"]
        )

    def servers(self):
        private = [self.postgres, self.redis, self.kafka]
        return [part for part in private if part.name not in self.external.values()]

    def urls(self):
        """Where the three servers are, as settings for administrators."""
        chosen = {variable: os.environ[variable] for variable in self.external}
        private = {
            "VERDICT_POSTGRES_URL": self.postgres.url,
            "VERDICT_KAFKA_BROKERS": self.kafka.brokers,
            "VERDICT_REDIS_URL": self.redis.url,
        }
        return {variable: chosen.get(variable) or url() for variable, url in private.items()}

    def services(self):
        urls = self.urls()
        own_roles = "VERDICT_POSTGRES_URL" not in self.external
        common = {"VERDICT_KAFKA_BROKERS": urls["VERDICT_KAFKA_BROKERS"]}
        extra = {
            "api-ingest": {
                "VERDICT_REDIS_URL": urls["VERDICT_REDIS_URL"],
                "VERDICT_API_LISTEN": f"127.0.0.1:{self.port('api')}",
                "VERDICT_PUBLIC_URL": self.api_url,
                "VERDICT_KEY_FILE": self.key_file,
                "VERDICT_BLOB_URL": f"file://{self.folder / 'files'}",
            },
            "scheduler": {"VERDICT_REDIS_URL": urls["VERDICT_REDIS_URL"]},
            "result-collector": {"VERDICT_REDIS_URL": urls["VERDICT_REDIS_URL"]},
            "notifier": {
                "VERDICT_KEY_FILE": self.key_file,
                "VERDICT_PUBLIC_URL": self.api_url,
                # Receivers of a private stack are on this machine.
                "VERDICT_WEBHOOK_ALLOW_PRIVATE": "true",
            },
        }
        made = []
        for name in ROLES:
            url = role_url(urls["VERDICT_POSTGRES_URL"], name, own_roles)
            settings = {**common, **extra[name], "VERDICT_POSTGRES_URL": url}
            settings["VERDICT_INSTANCE_ID"] = f"{name}-1"
            made.append(Service(self.folder, name, self.port(name), settings))
        return made + [self._executor(name, common) for name in EXECUTORS]

    def _known_services(self):
        """The services, or none before there was any Postgres to tell them of."""
        is_known = "VERDICT_POSTGRES_URL" in self.external or self.postgres.password_path.exists()
        return self.services() if is_known else []

    def _executor(self, name, common):
        settings = {
            **common,
            "VERDICT_API_URL": self.api_url,
            "VERDICT_INSTANCE_ID": name,
            "VERDICT_JOIN_TOKEN_FILE": self.join_token,
            "VERDICT_WORKER_NAME": name,
            "VERDICT_SLOTS": 2,
            "VERDICT_SPOOL_DIR": self.folder / name / "spool",
            "VERDICT_WORK_DIR": self.folder / name / "work",
            "VERDICT_SECRETS_DIR": self.folder / name / "secrets",
            "VERDICT_PLUGIN_DIR": TOP / "integrations",
            "VERDICT_SOURCE_ROOTS": os.environ.get("VERDICT_SOURCE_ROOTS", str(TOP)),
            "VERDICT_TEST_PATH": test_path(),
        }
        return Service(self.folder, "executor", self.port(name), settings, name=name)

    # up and down -----------------------------------------------------------------------------

    def up(self, servers_only=False):
        started = self.start_servers()
        if not servers_only:
            started |= self.start_services()
        self._write_settings(servers_only)
        return started

    def start_servers(self):
        self._choose_ports()
        wanted = self.servers()
        for part in wanted:
            if part.is_running() and not part.is_current():
                say(f"{part.name} is to run differently: restarting it")
                part.stop()
        fresh = [part for part in wanted if not part.is_running()]
        for part in fresh:
            say(f"starting {part.name} on port {part.port}")
            part.start()
        if self.postgres in fresh and self.postgres.moved():
            say(f"user postgres cannot reach {self.folder}, so its data is {self.postgres.data}")
        for part in wanted:
            if part in fresh or not part.is_ready():
                part.wait_ready()
        if self.postgres in fresh:
            self.postgres.create_database()
        return bool(fresh)

    def start_services(self):
        services = self.services()
        missing = sorted({s.program for s in services if not is_built(s.program)})
        if missing or not is_built("admin"):
            raise StackError(f"not built yet: {' '.join(missing) or 'verdict-admin'}; run: make")
        for service in services:
            if service.is_running() and not service.is_current():
                say(f"{service.name} was built or set anew: restarting it")
                service.stop()
        stopped = [service for service in services if not service.is_running()]
        if stopped:
            self._prepare()
        for service in stopped:
            say(f"starting {service.name}")
            self._make_folders(service)
            service.start()
        for service in services:
            service.wait_ready()
        return bool(stopped)

    def _prepare(self):
        """Database, topics, keys and first tokens; each safe to repeat."""
        admin = Admin({**self.urls(), "VERDICT_KEY_FILE": write_key_file(self.key_file)})
        if self.postgres in self.servers():
            self.postgres.create_database()
        admin.migrate()
        if self.postgres in self.servers():
            self.postgres.let_roles_log_in(ROLES.values())
        admin.make_topics()
        if not self.join_token.exists():
            admin.create_join_token(self.join_token)
        if not self.admin_token.exists():
            admin.create_token(self.admin_token)

    def _make_folders(self, service):
        for key in ("VERDICT_SPOOL_DIR", "VERDICT_WORK_DIR", "VERDICT_SECRETS_DIR"):
            if key in service.settings:
                pathlib.Path(service.settings[key]).mkdir(parents=True, exist_ok=True, mode=0o700)

    def down(self):
        """Stops everything that has a pid file of ours, also what is no longer wanted."""
        own_servers = [self.kafka, self.redis, self.postgres]
        names = {path.stem for path in (self.folder / "run").glob("*.json")}
        names -= {part.name for part in own_servers}
        services = [Process(name, self.folder, []) for name in sorted(names)]
        running = [part for part in services if part.is_running()]
        for part in running:
            say(f"stopping {part.name}")
            part.signal(part.stop_signal)
        for part in running:
            part.stop()
        for part in own_servers:
            if part.is_running():
                say(f"stopping {part.name}")
                part.stop()

    def status(self):
        """Prints a line per part. True when everything runs and is ready."""
        well = True
        parts = self.servers() + self._known_services()
        for part in parts:
            pid = part.pid()
            state = "stopped" if pid is None else "ready" if part.is_ready() else "not ready"
            well &= state == "ready"
            port = getattr(part, "health_port", None) or part.port
            print(f"{part.name:<18} {state:<10} pid {pid or '-':<8} 127.0.0.1:{port}")
            if state == "not ready" and isinstance(part, Service):
                print(f"{'':<18} {part.health()[1].strip()}")
        for variable, part in self.external.items():
            print(f"{part:<18} {'external':<10} {os.environ[variable].rpartition('@')[2]}")
        print(f"{'api':<18} {self.api_url}   (settings for a shell: . {self.env_quoted()})")
        return well

    # what it remembers -----------------------------------------------------------------------

    def _load_state(self):
        try:
            state = json.loads((self.folder / "state.json").read_text())
        except (OSError, ValueError):
            state = {}
        base = int(os.environ.get("VERDICT_PORT_BASE") or state.get("base") or ports.DEFAULT_BASE)
        version = os.environ.get("KAFKA_VERSION") or state.get("kafka") or DEFAULT_VERSION
        return {"base": base, "kafka": version, "urls": state.get("urls", {})}

    def _find_external(self):
        """A variable that only repeats our own .stack/servers names no other server."""
        own = self.state["urls"]
        return {
            variable: part
            for variable, part in EXTERNAL.items()
            if os.environ.get(variable) and os.environ[variable] != own.get(variable)
        }

    def _choose_ports(self):
        """Keeps the block of a stack that runs; otherwise takes the first that is free."""
        if not any(part.is_running() for part in self.servers() + self._known_services()):
            base = ports.find_block(self.state["base"])
            if base != self.state["base"]:
                say(f"ports from {self.state['base']} on are taken; using {base} on")
            self.state["base"] = base
            self._make_servers()
        make_private(self.folder)
        self.secrets.mkdir(exist_ok=True, mode=0o700)
        self._save_state()

    def _save_state(self):
        write_private(self.folder / "state.json", json.dumps(self.state, indent=2) + "\n")

    def env_quoted(self):
        return shlex.quote(str(self.folder / "env"))

    def _write_settings(self, servers_only):
        """For shells: `env` is for users; `servers` is for operators, and names existing servers to
        whatever is started from that shell."""
        urls = self.urls()
        self.state["urls"] = {k: v for k, v in urls.items() if k not in self.external}
        self._save_state()
        settings = {"VERDICT_URL": self.api_url}
        if not servers_only and self.admin_token.exists():
            settings["VERDICT_TOKEN"] = self.admin_token.read_text().strip()
        self._write_exports("env", settings)
        self._write_exports("servers", urls)

    def _write_exports(self, name, settings):
        lines = [f"export {key}={shlex.quote(value)}\n" for key, value in settings.items()]
        write_private(self.folder / name, "".join(lines))


@contextlib.contextmanager
def locked(folder):
    """One up or down at a time."""
    folder = pathlib.Path(folder)
    make_private(folder)
    with (folder / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def main():
    parser = argparse.ArgumentParser(description="Verdict's private stack")
    parser.add_argument("command", choices=["up", "down", "status", "wipe"])
    parser.add_argument("--servers-only", action="store_true", help="without Verdict's services")
    parser.add_argument("--folder", default=TOP / ".stack", help="where it lives")
    arguments = parser.parse_args()
    try:
        with locked(arguments.folder):
            return run(Stack(arguments.folder), arguments)
    except StackError as error:
        say(error)
        return 1


def run(stack, arguments):
    if arguments.command == "up":
        began = time.monotonic()
        if stack.up(arguments.servers_only):
            say(f"ready after {time.monotonic() - began:.1f} s")
        if not arguments.servers_only:
            print(f"Verdict is at {stack.api_url}; settings for a shell: . {stack.env_quoted()}")
        return 0
    if arguments.command == "status":
        well = stack.status()
        sys.stdout.flush()
        return 0 if well else 1
    stack.down()
    if arguments.command == "wipe":
        shutil.rmtree(stack.folder, ignore_errors=True)
        shutil.rmtree(stack.postgres.data.parent, ignore_errors=True)
    return 0


if __name__ == "__main__":
    try:
        sys.exit(main())
    except BrokenPipeError:  # whoever reads (`| head`) has seen enough
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        sys.exit(1)
