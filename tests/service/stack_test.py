# SPDX-License-Identifier: Apache-2.0
"""The private stack's own promises: what it starts it finds again, and nothing else is touched."""

import json
import os
import pathlib
import signal
import stat
import subprocess

import pytest
from parts.kafka import Kafka
from parts.postgres import Postgres, with_user
from parts.process import Process, StackError, wait_until
from support import TOP
from support.bus import Bus
from support.servers import new_ports

from stack import EXTERNAL, Stack, locked


def test_a_process_is_found_again_by_its_pid_file(tmp_path):
    first = Process("sleeper", tmp_path, ["/usr/bin/sleep", "60"])
    first.start()
    second = Process("sleeper", tmp_path, ["/usr/bin/sleep", "60"])

    found = second.pid()
    second.start()

    assert found == first.pid() == second.pid()
    first.stop()
    assert not second.is_running()


def test_a_recycled_pid_is_never_signalled(tmp_path):
    stranger = subprocess.Popen(["/usr/bin/sleep", "60"])
    process = Process("sleeper", tmp_path, ["/usr/bin/sleep", "60"])
    process.start()
    process.stop()
    record = {"pid": stranger.pid, "start_time": 1, "boot_id": _boot_id(), "fingerprint": ""}
    process.pid_path.write_text(json.dumps(record))

    process.signal(signal.SIGKILL)
    process.stop()

    assert stranger.poll() is None
    stranger.kill()
    stranger.wait()


def test_a_process_is_there_until_its_last_thread_is(tmp_path):
    script = """
import ctypes, threading, time
threading.Thread(target=time.sleep, args=(60,)).start()
ctypes.CDLL(None).pthread_exit(None)
"""
    process = Process("headless", tmp_path, ["/usr/bin/python3", "-c", script])
    process.start()
    stat = f"/proc/{process.pid()}/stat"
    wait_until(lambda: ") Z " in pathlib.Path(stat).read_text(), 20, "its first thread to end")

    assert process.is_running()
    process.kill()
    assert not process.is_running()


def test_a_pid_file_from_before_a_reboot_counts_for_nothing(tmp_path):
    process = Process("sleeper", tmp_path, ["/usr/bin/sleep", "60"])
    process.start()
    pid = process.pid()
    record = json.loads(process.pid_path.read_text())

    process.pid_path.write_text(json.dumps({**record, "boot_id": "another"}))

    assert not process.is_running()
    os.kill(pid, signal.SIGKILL)


def test_a_process_that_ends_while_starting_is_named_with_its_log(tmp_path):
    process = Process("broken", tmp_path, ["/bin/sh", "-c", "echo no such luck; exit 3"])
    process.is_ready = lambda: False
    process.start()

    with pytest.raises(StackError, match="broken ended while starting(.|\n)*no such luck"):
        process.wait_ready(10)


def test_a_process_that_ignores_sigterm_is_killed(tmp_path):
    script = "trap '' TERM; echo ready; while :; do sleep 1; done"
    process = Process("stubborn", tmp_path, ["/bin/sh", "-c", script])
    process.stop_timeout_s = 0.2
    process.is_ready = lambda: "ready" in process.log_tail()
    process.start()
    process.wait_ready()

    graceful = process.stop()

    assert not graceful
    assert not process.is_running()


@pytest.mark.own("kafka")
def test_a_killed_broker_comes_back_with_what_it_acknowledged(private_servers):
    kafka = private_servers.kafka
    bus = Bus(kafka.brokers(), "stack")
    bus.create("kept", 1)
    bus.produce("kept", b"before")

    kafka.kill()
    kafka.start()
    kafka.wait_ready()

    bus.produce("kept", b"after")
    assert [message.value() for message in bus.read("kept")] == [b"before", b"after"]


@pytest.mark.own("kafka")
def test_a_second_broker_on_the_same_folder_is_refused(private_servers):
    kafka = private_servers.kafka
    base = new_ports()
    kafka.pid_path.rename(kafka.pid_path.with_suffix(".away"))
    try:
        with pytest.raises(StackError, match="a broker that we did not start"):
            Kafka(private_servers.folder, base, base + 1, kafka.version).start()
    finally:
        kafka.pid_path.with_suffix(".away").rename(kafka.pid_path)


@pytest.mark.own("postgres")
def test_a_crashed_postgres_comes_back_with_its_data(private_servers):
    postgres = private_servers.postgres
    postgres.query("CREATE TABLE kept AS SELECT 42 AS answer", "postgres")

    postgres.crash_and_restart()

    assert postgres.query("SELECT answer FROM kept", "postgres") == "42"


@pytest.mark.own("postgres")
def test_a_postgres_killed_with_minus_nine_starts_again(private_servers):
    postgres = private_servers.postgres
    postgres.query("CREATE TABLE kept AS SELECT 42 AS answer", "postgres")

    postgres.kill()
    postgres.start()
    postgres.wait_ready()

    assert postgres.query("SELECT answer FROM kept", "postgres") == "42"


@pytest.mark.own("postgres")
def test_postgres_lets_nobody_in_without_the_password(private_servers):
    postgres = private_servers.postgres
    url = postgres.url(database="postgres").replace(postgres.password(), "wrong")
    command = ["/usr/bin/psql", "-w", "-d", url, "-c", "SELECT 1"]

    done = subprocess.run(command, capture_output=True, text=True, check=False)

    assert "password authentication failed" in done.stderr


@pytest.mark.own("postgres")
def test_no_password_is_on_a_command_line(private_servers):
    postgres = private_servers.postgres

    said = postgres.query("\\! tr '\\0' ' ' </proc/$PPID/cmdline\n", "postgres")

    assert "psql" in said
    assert postgres.password() not in said


def test_what_the_stack_remembers_is_its_owners_alone(tmp_path):
    folder = tmp_path / "stack"
    stack = Stack(folder)
    with locked(folder):
        stack._save_state()
        stack._save_state()

    assert stat.S_IMODE((folder / "state.json").stat().st_mode) == 0o600
    assert stat.S_IMODE(folder.stat().st_mode) & 0o066 == 0


def test_a_users_shell_names_no_servers(tmp_path, monkeypatch):
    """Else, after a wipe, the private ones would count as somebody else's."""
    for variable in EXTERNAL:
        monkeypatch.delenv(variable, raising=False)
    stack = Stack(tmp_path / "stack")
    stack.postgres.password_path.parent.mkdir(parents=True)
    stack.postgres.password_path.write_text("secret")
    stack.secrets.mkdir(exist_ok=True)
    stack.admin_token.write_text("vd_1\n")
    stack._write_settings(servers_only=False)

    for name in ("env", "servers"):
        assert stat.S_IMODE((stack.folder / name).stat().st_mode) == 0o600
    assert set(exported(stack.folder / "env")) == {"VERDICT_URL", "VERDICT_TOKEN"}
    servers = exported(stack.folder / "servers")
    assert servers == stack.urls()

    for variable, value in servers.items():
        monkeypatch.setenv(variable, value)
    assert Stack(stack.folder).external == {}
    assert Stack(tmp_path / "another").external == EXTERNAL


def exported(path):
    """What a shell has that reads the file."""
    command = ["env", "-i", "/bin/sh", "-c", '. "$1"; /usr/bin/env', "sh", path]
    lines = subprocess.run(command, capture_output=True, text=True, check=True).stdout.splitlines()
    pairs = (line.partition("=") for line in lines)
    return {name: value for name, _, value in pairs if name.startswith("VERDICT_")}


def test_status_ends_quietly_where_nobody_reads_on(tmp_path):
    reading, writing = os.pipe()
    os.close(reading)
    command = [TOP / "stack/stack.py", "status", "--folder", tmp_path / "stack"]
    done = subprocess.run(command, stdout=writing, stderr=subprocess.PIPE, text=True, check=False)
    os.close(writing)
    assert (done.returncode, done.stderr) == (1, "")


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        ("postgresql://a:b@127.0.0.1:1/db", "postgresql://r:b@127.0.0.1:1/db"),
        ("postgresql://a@h/db?sslmode=require", "postgresql://r@h/db?sslmode=require"),
        ("postgresql://h/db", "postgresql://r@h/db"),
    ],
)
def test_a_url_is_given_another_role(url, expected):
    assert with_user(url, "r") == expected


def test_a_cluster_moves_out_of_a_folder_that_its_user_cannot_reach(tmp_path):
    if os.geteuid() != 0:
        pytest.skip("only root's Postgres runs as somebody else")
    tmp_path.chmod(0o700)

    postgres = Postgres(tmp_path / "stack", new_ports())

    assert str(postgres.data).startswith("/var/tmp/verdict-postgres-")


def _boot_id():
    with open("/proc/sys/kernel/random/boot_id") as file:  # noqa: PTH123
        return file.read().strip()
