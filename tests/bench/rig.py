# SPDX-License-Identifier: Apache-2.0
"""What all benches share: servers with the settings of the field, rows of the table, numbers."""

import contextlib
import dataclasses
import os
import pathlib
import shutil
import statistics
import subprocess
import sys
import tempfile
import time

from support import TOP
from support.servers import Servers, new_ports, release_ports
from support.verdict import Verdict

HERE = pathlib.Path(__file__).resolve().parent
BUILT = TOP / "build" / "bench"
SUITE = {"framework": "command", "command": ["/bin/true"], "report": {"format": "none"}}
TICKS = os.sysconf("SC_CLK_TCK")


@dataclasses.dataclass
class Row:
    """One line of the table. `values` are those of the runs, the warm-up not among them."""

    measure: str
    unit: str  # "/s", "ms", "MB", "s"
    values: list
    peer: str = ""
    peer_values: list = dataclasses.field(default_factory=list)
    aim: str = ""
    holds: bool | None = None  # None: nothing is aimed at, or what it is measured by is missing

    @property
    def median(self):
        return statistics.median(self.values)

    @property
    def peer_median(self):
        return statistics.median(self.peer_values) if self.peer_values else None

    @property
    def ratio(self):
        return self.median / self.peer_median if self.peer_median else None


def fits(row, least=None, most=None, ratio=None, ratio_most=None, unless=None):
    """Says in the row whether its aim holds; `unless` is one more condition. One that is a ratio is
    not known where there is no peer."""
    if (ratio is not None or ratio_most is not None) and row.ratio is None:
        return row
    holds = unless is not False
    if least is not None:
        holds = holds and row.median >= least
    if most is not None:
        holds = holds and row.median < most
    if ratio is not None:
        holds = holds and row.ratio >= ratio
    if ratio_most is not None:
        holds = holds and row.ratio <= ratio_most
    row.holds = holds
    return row


def percentile(values, share):
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(share * len(ordered)))]


class Bench:
    """Servers that all lines use one after the other, and how much is measured."""

    def __init__(self, quick=False):
        self.quick = quick
        self.runs = 1 if quick else 3
        self.seconds = 2 if quick else 5  # of one run of a load
        BUILT.mkdir(parents=True, exist_ok=True)
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="run-", dir=BUILT))
        self.folder.chmod(0o755)
        self.cache = _cache()
        self._servers = None
        self._count = 0

    @property
    def servers(self):
        if self._servers is None:
            self._servers = Servers(self.folder / "servers", postgres_settings={})
            self._servers.start()
        return self._servers

    def close(self):
        if self._servers is not None:
            self._servers.remove()
        shutil.rmtree(self.folder, ignore_errors=True)

    @contextlib.contextmanager
    def verdict(self, *services, **settings):
        """An installation with the times of the field, and these services of it ready."""
        self._count += 1
        verdict = Verdict(self.folder / f"verdict-{self._count}", self.servers, times={})
        try:
            for name in services:
                verdict.start(name, wait=False, **settings.get(name.rpartition("-")[0], {}))
            for name in services:
                verdict.services[name].wait_ready()
            yield verdict
        except BaseException:
            for name, text in verdict.logs(15).items():
                print(f"--- {name}\n{text}", file=sys.stderr)
            raise
        finally:
            verdict.close()

    def repeat(self, once):
        """What each run gave, after a warm-up."""
        if not self.quick:
            once()
        return [once() for _ in range(self.runs)]

    def python(self):
        """The Python of the peers; None when they could not be installed."""
        path = self.cache / "python" / "bin" / "python"
        return path if path.exists() else None

    def node_modules(self):
        path = self.cache / "node" / "node_modules"
        return path if path.exists() and shutil.which("node") else None


def _cache():
    home = os.environ.get("XDG_CACHE_HOME") or pathlib.Path.home() / ".cache"
    return pathlib.Path(home) / "verdict" / "bench"


def make_suite(verdict, spec=SUITE, name="noop"):
    source = verdict.folder / "source"
    source.mkdir(exist_ok=True)
    whole = {**spec, "source": {"kind": "path", "path": str(source)}}
    verdict.api.put("/v1/projects/bench", {"title": "Bench"})
    verdict.api.put(f"/v1/projects/bench/suites/{name}", whole)


@contextlib.contextmanager
def running(argv, ready_port=None, **options):
    """A program of the bench's own, ended afterwards."""
    child = subprocess.Popen([str(word) for word in argv], start_new_session=True, **options)
    try:
        if ready_port is not None:
            wait_port(ready_port, child)
        yield child
    finally:
        child.terminate()
        try:
            child.wait(10)
        except subprocess.TimeoutExpired:
            child.kill()
            child.wait()


def wait_port(port, child):
    import socket

    deadline = time.monotonic() + 20
    while True:
        with contextlib.suppress(OSError):
            socket.create_connection(("127.0.0.1", port), timeout=1).close()
            return
        if child.poll() is not None or time.monotonic() > deadline:
            raise RuntimeError(f"{child.args[0]} does not listen on port {port}")
        time.sleep(0.02)


@contextlib.contextmanager
def port():
    first = new_ports()
    try:
        yield first
    finally:
        release_ports(first)


@contextlib.contextmanager
def nginx(folder, status, body=""):
    """nginx that answers everything with that."""
    folder.mkdir(exist_ok=True)
    with port() as number:
        (folder / "nginx.conf").write_text(f"""
worker_processes 1; daemon off; pid {folder}/nginx.pid; error_log /dev/null;
events {{ worker_connections 4096; }}
http {{ access_log off; keepalive_requests 100000000; client_body_temp_path {folder}/body;
  client_max_body_size 10m; default_type application/json;
  server {{ listen 127.0.0.1:{number}; location / {{ return {status} '{body}'; }} }} }}
""")
        argv = ["/usr/sbin/nginx", "-p", folder, "-c", folder / "nginx.conf"]
        with running(argv, number, stderr=subprocess.DEVNULL):
            yield f"http://127.0.0.1:{number}"


def has_nginx():
    return pathlib.Path("/usr/sbin/nginx").exists()


def _stat(pid):
    return pathlib.Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()


def cpu_s(pid):
    return sum(map(int, _stat(pid)[11:13])) / TICKS


def tree_cpu_s(pid):
    """With the processes that it has, and those that ended."""
    children = pathlib.Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
    return sum(map(int, _stat(pid)[11:15])) / TICKS + sum(map(tree_cpu_s, children))


def postgres_cpu_s(verdict, role="verdict_%"):
    """Of the sessions that services have open; they stay open until their service ends."""
    pids = verdict.db.query(
        "SELECT pid FROM pg_stat_activity WHERE usename LIKE %s AND usename <> 'verdict_admin'",
        role,
    )
    return sum(cpu_s(row["pid"]) for row in pids)
