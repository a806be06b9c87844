# SPDX-License-Identifier: Apache-2.0
"""A private single-node Kafka in KRaft mode, from the jars that `make setup` fetched."""

import hashlib
import os
import pathlib
import shutil
import socket
import struct
import subprocess

from .process import Process, StackError

DEFAULT_VERSION = "3.9.2"
CLUSTER_ID = "VmVyZGljdFN0YWNrMDAwMQ"
HEAP_MB = 256

# Each line that is not obvious says why.
SETTINGS = {
    "process.roles": "broker,controller",
    "node.id": 1,
    "controller.listener.names": "CONTROLLER",
    "listener.security.protocol.map": "CONTROLLER:PLAINTEXT,PLAINTEXT:PLAINTEXT",
    "auto.create.topics.enable": "false",
    "offsets.topic.replication.factor": 1,
    "offsets.topic.num.partitions": 4,
    "transaction.state.log.replication.factor": 1,
    "transaction.state.log.min.isr": 1,
    "transaction.state.log.num.partitions": 1,
    "group.initial.rebalance.delay.ms": 0,
    # Crash tests want a dead member noticed soon.
    "group.min.session.timeout.ms": 1000,
    # With the default of 9 s a killed broker is still registered and cannot come back for 12 s.
    "broker.session.timeout.ms": 3000,
    "broker.heartbeat.interval.ms": 500,
    "num.network.threads": 2,
    "num.io.threads": 2,
    "log.cleaner.dedupe.buffer.size": 2097152,
}


class Kafka(Process):
    start_timeout_s = 60
    stop_timeout_s = 20

    def __init__(self, folder, port, controller_port, version=DEFAULT_VERSION):
        self.port = port
        self.controller_port = controller_port
        self.version = version
        self.data = pathlib.Path(folder) / "kafka"
        self.jars = cache_folder() / f"kafka-{version}"
        self.properties = self.data / "server.properties"
        self.archive = self.jars / f"classes-{_jvm_tag()}.jsa"
        # The JVM writes this when it ends gracefully; the next start takes half the time with it.
        self.fresh_archive = self.jars / f"new-{_tag(self.data)}.jsa"
        super().__init__("kafka", folder, self._command("kafka.Kafka", self.properties))

    def brokers(self):
        return f"127.0.0.1:{self.port}"

    def start(self):
        if self.is_running():
            return
        if not self.jars.is_dir():
            raise StackError(f"Kafka {self.version} is missing; get it: make setup")
        self._refuse_second_broker()
        self.fresh_archive.unlink(missing_ok=True)
        # The archive may have come since this object was made.
        self.argv = [str(w) for w in self._command("kafka.Kafka", self.properties)]
        self._format()
        super().start()

    def fingerprint(self):
        """Where the classes come from makes no difference, so it must not restart a broker."""
        text = f"{self.version} {self.port} {self.controller_port} {sorted(SETTINGS.items())}"
        return hashlib.sha256(text.encode()).hexdigest()

    def stop(self):
        graceful = super().stop()
        if graceful and self.fresh_archive.exists() and not self.archive.exists():
            self.fresh_archive.replace(self.archive)
        self.fresh_archive.unlink(missing_ok=True)
        return graceful

    def is_ready(self):
        """The broker knows itself: a Metadata request (version 1, no topics) lists one broker."""
        request = struct.pack(">hhihi", 3, 1, 0, -1, 0)
        try:
            with socket.create_connection(("127.0.0.1", self.port), timeout=2) as connection:
                connection.sendall(struct.pack(">i", len(request)) + request)
                answer = connection.makefile("rb").read(12)
        except OSError:
            return False
        return len(answer) == 12 and struct.unpack(">iii", answer)[2] > 0

    def _command(self, main_class, *arguments):
        classes = [f"-XX:ArchiveClassesAtExit={self.fresh_archive}"]
        if self.archive.exists():
            classes = [f"-XX:SharedArchiveFile={self.archive}"]
        return [
            java(),
            f"-Xmx{HEAP_MB}m",
            "-XX:+UseSerialGC",
            "-XX:TieredStopAtLevel=1",
            "-Xshare:auto",
            "-Xlog:disable",
            *classes,
            *_logging(self.version, self.data),
            "-cp",
            ":".join(str(jar) for jar in sorted(self.jars.glob("*.jar"))),
            main_class,
            *arguments,
        ]

    def _format(self):
        """Writes the configuration and, once per version, an empty storage."""
        mark = self.data / "version"
        if not mark.exists() or mark.read_text() != self.version:
            shutil.rmtree(self.data, ignore_errors=True)
        self.data.mkdir(parents=True, exist_ok=True)
        self._write_configuration()
        if mark.exists():
            return
        command = self._command("kafka.tools.StorageTool", "format", "-t", CLUSTER_ID)
        command = [str(word) for word in [*command, "-c", self.properties]]
        command = [word for word in command if "ArchiveClassesAtExit" not in word]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        if done.returncode != 0:
            raise StackError(f"Kafka's storage could not be made: {done.stdout}{done.stderr}")
        mark.write_text(self.version)

    def _write_configuration(self):
        listeners = (
            f"PLAINTEXT://127.0.0.1:{self.port},CONTROLLER://127.0.0.1:{self.controller_port}"
        )
        places = {
            "listeners": listeners,
            "advertised.listeners": f"PLAINTEXT://127.0.0.1:{self.port}",
            "controller.quorum.voters": f"1@127.0.0.1:{self.controller_port}",
            "log.dirs": self.data / "log",
        }
        lines = [f"{key}={value}\n" for key, value in {**SETTINGS, **places}.items()]
        self.properties.write_text("".join(lines))
        for name, text in LOGGING_FILES.items():
            (self.data / name).write_text(text)

    def _refuse_second_broker(self):
        """Two brokers on one folder ruin it, whoever started the other one."""
        self.data.mkdir(parents=True, exist_ok=True)
        for other in pathlib.Path("/proc").glob("[0-9]*/cmdline"):
            try:
                if str(self.properties).encode() in other.read_bytes().split(b"\0"):
                    raise StackError(f"a broker that we did not start uses {self.data}: {other}")
            except OSError:
                continue


LOGGING_FILES = {
    "log4j.properties": (
        "log4j.rootLogger=WARN, out\n"
        "log4j.appender.out=org.apache.log4j.ConsoleAppender\n"
        "log4j.appender.out.layout=org.apache.log4j.PatternLayout\n"
        "log4j.appender.out.layout.ConversionPattern=%d %p %c %m%n\n"
    ),
    "log4j2.properties": (
        "rootLogger.level=warn\n"
        "rootLogger.appenderRef.out.ref=out\n"
        "appender.out.type=Console\n"
        "appender.out.name=out\n"
        "appender.out.layout.type=PatternLayout\n"
        "appender.out.layout.pattern=%d %p %c %m%n\n"
    ),
}


def _logging(version, folder):
    if version.startswith("3."):
        return [f"-Dlog4j.configuration=file:{folder}/log4j.properties"]
    return [f"-Dlog4j2.configurationFile={folder}/log4j2.properties"]


def cache_folder():
    """The same rule as in setup.sh."""
    home = os.environ.get("HOME") or os.path.expanduser("~")
    base = pathlib.Path(os.environ.get("XDG_CACHE_HOME") or f"{home}/.cache")
    cache = base / "verdict"
    if os.access(cache, os.W_OK):
        return cache
    return pathlib.Path(f"/var/tmp/verdict-cache-{os.getuid()}")


def java():
    """Debian's own Java 17, whatever else is installed."""
    found = sorted(pathlib.Path("/usr/lib/jvm").glob("java-17-openjdk-*/bin/java"))
    if not found:
        raise StackError("Java 17 is missing; get it: make setup")
    return found[0]


def _jvm_tag():
    """An archive of classes fits only the JVM that wrote it."""
    modules = java().parent.parent / "lib" / "modules"
    return _tag(f"{modules.resolve()} {modules.stat().st_mtime_ns}")


def _tag(thing):
    return hashlib.sha256(str(thing).encode()).hexdigest()[:12]
