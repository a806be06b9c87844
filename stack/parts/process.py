# SPDX-License-Identifier: Apache-2.0
"""One background process with a log file and a pid file.

It outlives the program that started it, and another program finds it again by its pid file. The pid
file holds the process' start time and the machine's boot id, so a recycled pid is never signalled.
"""

import contextlib
import hashlib
import json
import os
import pathlib
import signal
import subprocess
import time

POLL_S = 0.02


class StackError(Exception):
    """Something that a person must know about, in words for that person."""


def wait_until(condition, timeout_s, what):
    """Waits until condition() is true; its last value is returned."""
    deadline = time.monotonic() + timeout_s
    while True:
        value = condition()
        if value:
            return value
        if time.monotonic() > deadline:
            raise StackError(f"waited {timeout_s:g} s in vain for {what}")
        time.sleep(POLL_S)


def _boot_id():
    try:
        return pathlib.Path("/proc/sys/kernel/random/boot_id").read_text().strip()
    except OSError as error:
        raise StackError("/proc is not there; mount it: mount -t proc proc /proc") from error


def _start_time(pid):
    """The process' start in clock ticks since boot; None when it is gone or only a zombie. A zombie
    whose other threads still end holds its ports and files, so it is not gone."""
    try:
        stat = pathlib.Path(f"/proc/{pid}/stat").read_text()
    except OSError:
        return None
    fields = stat.rpartition(")")[2].split()
    is_gone = fields[0] in "ZX" and int(fields[17]) <= 1
    return None if is_gone else int(fields[19])


class Process:
    """A name, a command and where its files lie. Subclasses say how readiness is seen."""

    start_timeout_s = 30
    stop_timeout_s = 15
    stop_signal = signal.SIGTERM

    def __init__(self, name, folder, argv, env=None, cwd=None):
        self.name = name
        self.argv = [str(word) for word in argv]
        self.env = env
        self.cwd = cwd
        self.log_path = pathlib.Path(folder) / "log" / f"{name}.log"
        self.pid_path = pathlib.Path(folder) / "run" / f"{name}.json"
        self._child = None

    # what runs -------------------------------------------------------------------------------

    def fingerprint(self):
        """Changes when the process would be started differently: command, settings, program."""
        try:
            program = os.stat(self.argv[0])
            identity = [program.st_ino, program.st_mtime_ns]
        except OSError:
            identity = None
        text = json.dumps([self.argv, sorted((self.env or {}).items()), identity])
        return hashlib.sha256(text.encode()).hexdigest()

    def record(self):
        """What the pid file says about a process that is still that very process, else None."""
        try:
            record = json.loads(self.pid_path.read_text())
        except (OSError, ValueError):
            return None
        if record.get("boot_id") != _boot_id():
            return None
        if self._child and self._child.pid == record["pid"]:
            self._child.poll()
        start_time = _start_time(record["pid"])
        return record if start_time is not None and start_time == record["start_time"] else None

    def pid(self):
        record = self.record()
        return record["pid"] if record else None

    def is_running(self):
        return self.pid() is not None

    def is_current(self):
        """Whether it runs as it would be started now."""
        record = self.record()
        return record is not None and record["fingerprint"] == self.fingerprint()

    def is_ready(self):
        return True

    # start and stop --------------------------------------------------------------------------

    def start(self):
        """Starts it unless it runs; does not wait until it is ready."""
        if self.is_running():
            return
        boot_id = _boot_id()  # fails where a process could not be found again
        self.log_path.parent.mkdir(parents=True, exist_ok=True)
        self.pid_path.parent.mkdir(parents=True, exist_ok=True)
        with self.log_path.open("ab") as log:
            self._child = subprocess.Popen(
                self.argv,
                env={**_clean_environment(), **(self.env or {})},
                cwd=self.cwd,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )
        record = {
            "pid": self._child.pid,
            "start_time": _start_time(self._child.pid),
            "boot_id": boot_id,
            "fingerprint": self.fingerprint(),
        }
        fresh = self.pid_path.with_suffix(".new")
        fresh.write_text(json.dumps(record))
        fresh.replace(self.pid_path)

    def wait_ready(self, timeout_s=None):
        def ready_or_dead():
            if not self.is_running():
                raise StackError(f"{self.name} ended while starting; its log:\n{self.log_tail()}")
            return self.is_ready()

        try:
            wait_until(ready_or_dead, timeout_s or self.start_timeout_s, f"{self.name} to be ready")
        except StackError as error:
            raise StackError(f"{error}\n(log: {self.log_path})") from None

    def signal(self, number):
        """Signals exactly the process that was started; nothing when it is gone."""
        pid = self.pid()
        if pid is not None:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, number)

    def kill(self):
        """kill -9, and gone when this returns."""
        self.signal(signal.SIGKILL)
        self._wait_gone(10)

    def stop(self):
        """Asks it to end, insists after a while. Returns True when it ended by itself."""
        self.signal(signal.SIGCONT)
        self.signal(self.stop_signal)
        try:
            self._wait_gone(self.stop_timeout_s)
            graceful = True
        except StackError:
            self.kill()
            graceful = False
        self.pid_path.unlink(missing_ok=True)
        return graceful

    def exit_status(self):
        """The exit status of a process of our own that has ended (negative: the signal)."""
        return self._child.poll() if self._child else None

    def log_tail(self, lines=20):
        try:
            text = self.log_path.read_text(errors="replace")
        except OSError:
            return "(no log)"
        return "\n".join(text.splitlines()[-lines:])

    def _wait_gone(self, timeout_s):
        wait_until(lambda: not self.is_running(), timeout_s, f"{self.name} to end")


def _clean_environment():
    """What every process may know of ours. Settings of Verdict come by name, never by accident."""
    kept = {k: v for k, v in os.environ.items() if k in ("HOME", "LANG", "PATH", "TMPDIR", "USER")}
    kept.setdefault("PATH", "/usr/bin:/bin")
    return kept
