# SPDX-License-Identifier: Apache-2.0
"""A private Postgres 15 cluster. Postgres refuses root, so for root it runs as user `postgres`."""

import hashlib
import os
import pathlib
import pwd
import secrets
import shutil
import signal
import subprocess
import urllib.parse

from .files import write_private
from .process import Process, StackError

PROGRAMS = pathlib.Path("/usr/lib/postgresql/15/bin")
SUPERUSER = "verdict_admin"
DATABASE = "verdict"


class Postgres(Process):
    stop_signal = signal.SIGINT  # "fast": ends the sessions, then shuts down cleanly

    def __init__(self, folder, port, settings=None):
        self.port = port
        self.folder = pathlib.Path(folder)
        self.user = "postgres" if os.geteuid() == 0 else None
        self.data = _data_folder(self.folder / "postgres", self.user)
        self.password_path = self.folder / "secrets" / "postgres-password"
        options = {
            "listen_addresses": "127.0.0.1",
            "port": port,
            "unix_socket_directories": _socket_folder(self.data),
            "max_connections": 200,
            "log_line_prefix": "%m [%p] %u@%d ",
            **(settings or {}),
        }
        argv = [PROGRAMS / "postgres", "-D", self.data]
        argv += [word for key, value in options.items() for word in ("-c", f"{key}={value}")]
        super().__init__("postgres", folder, _as_user(self.user, argv))

    def moved(self):
        """Where the data lies when that is not below the stack's folder, else None."""
        return None if self.data.is_relative_to(self.folder) else self.data

    def password(self):
        return self.password_path.read_text().strip()

    def url(self, user=SUPERUSER, database=DATABASE):
        return f"postgresql://{user}:{self.password()}@127.0.0.1:{self.port}/{database}"

    def start(self):
        if not (self.data / "PG_VERSION").exists():
            self._create_cluster()
        if not self.is_running():
            _remove_stale_pid_file(self.data)
        super().start()

    def is_ready(self):
        command = [PROGRAMS / "pg_isready", "-q", "-h", "127.0.0.1", "-p", str(self.port)]
        return subprocess.run(command, check=False).returncode == 0

    def query(self, sql, database=DATABASE):
        """Runs SQL with psql and returns its unaligned output."""
        command = [PROGRAMS / "psql", "-XAtq", "-v", "ON_ERROR_STOP=1", "-f", "-"]
        command += ["-h", "127.0.0.1", "-p", str(self.port), "-U", SUPERUSER, "-d", database]
        # Everybody may read a command line.
        environment = {**os.environ, "PGPASSWORD": self.password()}
        done = subprocess.run(
            command, input=sql, env=environment, capture_output=True, text=True, check=False
        )
        if done.returncode != 0:
            raise StackError(f"Postgres refused: {done.stderr.strip()}")
        return done.stdout.strip()

    def create_database(self, name=DATABASE):
        if not self.query(f"SELECT 1 FROM pg_database WHERE datname = '{name}'", "postgres"):
            self.query(f"CREATE DATABASE {name}", "postgres")

    def let_roles_log_in(self, roles, database=DATABASE):
        """The migrations create the services' roles without login; here they get the password."""
        login = f"LOGIN PASSWORD '{self.password()}'"
        self.query("".join(f"ALTER ROLE {role} {login};\n" for role in roles), database)

    def crash_and_restart(self):
        """Like `pg_ctl restart -m immediate`: no shutdown checkpoint, recovery at the start."""
        self.signal(signal.SIGQUIT)
        self._wait_gone(30)
        self.start()
        self.wait_ready()

    def _create_cluster(self):
        self.password_path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        if not self.password_path.exists():
            write_private(self.password_path, secrets.token_hex(16))
        shutil.rmtree(self.data, ignore_errors=True)  # what an interrupted initdb left
        self.data.mkdir(parents=True, mode=0o700)
        if self.user:
            shutil.chown(self.data, self.user, self.user)
        password = self.data.with_name("password")  # initdb reads it as its own user
        write_private(password, self.password())
        if self.user:
            shutil.chown(password, self.user, self.user)
        command = [PROGRAMS / "initdb", "-D", self.data, "-U", SUPERUSER, f"--pwfile={password}"]
        command += ["--auth=scram-sha-256", "--encoding=UTF8", "--locale=C.UTF-8", "--no-sync"]
        command = _as_user(self.user, command)
        done = subprocess.run(command, capture_output=True, text=True, check=False, cwd="/")
        password.unlink()
        if done.returncode != 0:
            shutil.rmtree(self.data, ignore_errors=True)
            raise StackError(f"initdb failed: {done.stderr.strip()}")


def with_user(url, user):
    """The same database for another role."""
    parts = urllib.parse.urlsplit(url)
    _, at, place = parts.netloc.rpartition("@")
    password = f":{parts.password}" if at and parts.password else ""
    return parts._replace(netloc=f"{user}{password}@{place}").geturl()


def _as_user(user, argv):
    if user is None:
        return argv
    return ["/usr/bin/setpriv", f"--reuid={user}", f"--regid={user}", "--clear-groups", *argv]


def _data_folder(wanted, user):
    """Where the cluster lies: a checkout under root's own home is out of reach for `postgres`."""
    if user is None or _can_reach(user, wanted.parent):
        return wanted / "data"
    tag = hashlib.sha256(str(wanted).encode()).hexdigest()[:12]
    return pathlib.Path(f"/var/tmp/verdict-postgres-{tag}/data")


def _can_reach(user, folder):
    account = pwd.getpwnam(user)
    for place in [folder, *folder.parents]:
        if not place.exists():
            continue
        status = place.stat()
        shift = (
            6 if status.st_uid == account.pw_uid else 3 if status.st_gid == account.pw_gid else 0
        )
        if not status.st_mode >> shift & 1:
            return False
    return True


def _socket_folder(data):
    """Beside the data, unless that is longer than a socket's address may be."""
    return str(data) if len(str(data)) < 80 else ""


def _remove_stale_pid_file(data):
    """Postgres itself only believes its pid file; after a reboot that pid may be anybody's."""
    path = data / "postmaster.pid"
    try:
        pid = int(path.read_text().split()[0])
        if os.readlink(f"/proc/{pid}/exe") == str(PROGRAMS / "postgres"):
            raise StackError(f"a Postgres that we did not start (pid {pid}) uses {data}")
    except (OSError, ValueError, IndexError):
        path.unlink(missing_ok=True)
