# SPDX-License-Identifier: Apache-2.0
"""One real Postgres, Redis and Kafka: shared by a whole pytest session, or private to one test."""

import contextlib
import fcntl
import itertools
import os
import pathlib
import shutil
import tempfile

from parts import ports
from parts.kafka import DEFAULT_VERSION, Kafka
from parts.postgres import Postgres
from parts.process import StackError
from parts.redis import Redis
from parts.services import ROLES, Admin, is_built

from . import TOP

TEMPLATE = "verdict_template"
REDIS_DATABASES = 1024
FIRST_PORT = 27400

# Nothing of a test survives the machine, so nothing waits for its disk; kill -9 loses no write.
POSTGRES_SETTINGS = {"fsync": "off", "max_connections": 400}

# Round and round: a long session uses more blocks than there are, one after the other.
_next_port = itertools.cycle(range(FIRST_PORT, ports.LIMIT - ports.BLOCK, ports.BLOCK))
_BLOCKS = (ports.LIMIT - FIRST_PORT) // ports.BLOCK

_claims = {}


def new_ports():
    """A block of free ports that neither this session nor one beside it uses."""
    for _ in range(_BLOCKS):
        first = next(_next_port)
        if not _claim(first):
            continue
        if all(ports.is_free(port) for port in range(first, first + ports.BLOCK)):
            return first
        release_ports(first)
    raise StackError(f"no {ports.BLOCK} free ports between {FIRST_PORT} and {ports.LIMIT}")


def release_ports(first):
    """What was started on them is ended: another may have them."""
    claim = _claims.pop(first, None)
    if claim is not None:
        claim.close()


def _claim(first):
    """Until it is released, or this process ends; also against sessions of other users."""
    path = pathlib.Path(tempfile.gettempdir()) / f"verdict-ports-{first}.lock"
    with contextlib.suppress(PermissionError):  # another user's, which we may only read
        path.touch(mode=0o644)
    try:
        file = path.open()
    except PermissionError:
        return False
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        file.close()
        return False
    _claims[first] = file
    return True


KINDS = ("postgres", "redis", "kafka")


class Servers:
    """The three servers below `folder`, which is emptied first. Those that are not in `own` are
    those of `shared`, and stay as they are."""

    def __init__(self, folder, postgres_settings=POSTGRES_SETTINGS, own=KINDS, shared=None):
        self.folder = pathlib.Path(folder)
        base = self._base = new_ports()
        version = os.environ.get("KAFKA_VERSION") or DEFAULT_VERSION
        self.postgres = Postgres(self.folder, base, postgres_settings)
        self.redis = Redis(self.folder, base + 1, REDIS_DATABASES)
        self.kafka = Kafka(self.folder, base + 2, base + 3, version)
        self.own = [getattr(self, kind) for kind in own]
        self._owns_postgres = "postgres" in own
        for kind in set(KINDS) - set(own):
            setattr(self, kind, getattr(shared, kind))
        self._numbers = itertools.count(1) if shared is None else shared._numbers

    def start(self):
        self._clean()  # what a killed session left
        self.folder.mkdir(parents=True)
        for part in self.own:
            part.start()
        for part in self.own:
            part.wait_ready()
        if self._owns_postgres:
            self._make_template()

    def stop(self):
        for part in reversed(self.own):
            part.stop()

    def remove(self):
        """Stops them and leaves nothing."""
        self._clean()
        release_ports(self._base)

    def _clean(self):
        self.stop()
        # Where root's Postgres lay is not below the folder.
        shutil.rmtree(self.folder, ignore_errors=True)
        if self._owns_postgres:
            shutil.rmtree(self.postgres.data.parent, ignore_errors=True)

    def new_installation(self):
        """(number, urls): a migrated database and a Redis database that nobody else uses."""
        number = next(self._numbers)
        name = f"verdict_{number}"
        self.postgres.query(f"CREATE DATABASE {name} TEMPLATE {TEMPLATE}", "postgres")
        return number, {
            "VERDICT_POSTGRES_URL": self.postgres.url(database=name),
            "VERDICT_KAFKA_BROKERS": self.kafka.brokers(),
            "VERDICT_REDIS_URL": self.redis.url(number % REDIS_DATABASES),
            "VERDICT_TOPIC_PREFIX": f"verdict{number}",
        }

    def drop_installation(self, number):
        self.postgres.query(f"DROP DATABASE IF EXISTS verdict_{number} WITH (FORCE)", "postgres")

    def _make_template(self):
        if not is_built("admin"):
            return
        self.postgres.create_database(TEMPLATE)
        Admin({"VERDICT_POSTGRES_URL": self.postgres.url(database=TEMPLATE)}).migrate()
        self.postgres.let_roles_log_in(ROLES.values(), TEMPLATE)


class SharedFolder:
    """The first of .stack-test/1, 2 … that no other session of this checkout holds."""

    def __init__(self):
        parent = TOP / ".stack-test"
        parent.mkdir(exist_ok=True)
        for number in itertools.count(1):
            path = parent / str(number)
            self._lock = (parent / f"{number}.lock").open("w")
            try:
                fcntl.flock(self._lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                self._lock.close()
                continue
            self.path = path
            return

    def release(self):
        self._lock.close()
