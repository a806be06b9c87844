# SPDX-License-Identifier: Apache-2.0
"""P16: the disk under Postgres, or under the broker, is full for a while, under load: nothing that
was acknowledged is lost, and it goes on when there is room again."""

import subprocess
import threading

import pytest
from parts.process import wait_until
from support.servers import Servers
from support.verdict import Verdict
from support.workload import Work

SIZE_MB = 500
FULL_S = 8


def run(*command):
    return subprocess.run(command, capture_output=True, text=True, check=False)


def move_to_small_disk(server):
    """The server's folder goes on with the same content on a disk of its own."""
    folder = server.data.parent if server.name == "postgres" else server.data
    kept = folder.with_name(f"{folder.name}-kept")
    server.stop()
    folder.rename(kept)
    folder.mkdir()
    mounted = run("mount", "-t", "tmpfs", "-o", f"size={SIZE_MB}m,mode=755", "tmpfs", folder)
    if mounted.returncode != 0:
        pytest.skip(f"cannot mount a small disk: {mounted.stderr.strip()}")
    assert run("cp", "-a", f"{kept}/.", folder).returncode == 0
    run("rm", "-rf", kept)
    server.start()
    server.wait_ready()
    return folder


@pytest.fixture(params=["postgres", "kafka"])
def small(request, tmp_path, shared_servers):
    """(an installation, the server, its folder)"""
    servers = Servers(tmp_path / "servers", own=(request.param,), shared=shared_servers)
    servers.start()
    server = getattr(servers, request.param)
    folder = move_to_small_disk(server)
    verdict = Verdict(tmp_path / "verdict", servers)
    yield verdict, server, folder
    verdict.close()
    servers.stop()
    run("umount", folder)
    servers.remove()


@pytest.mark.timeout(600)
def test_a_full_disk_under_a_server_loses_nothing(small, tmp_path, tell):
    verdict, server, folder = small
    work = Work(verdict, tmp_path / "work").start()
    client = work.client(count=60, gap_s=0.2)
    filler = folder / "filler"

    client.start()
    wait_until(verdict.open_runs, 30, "work in flight")
    run("dd", "if=/dev/zero", f"of={filler}", "bs=16k")
    threading.Event().wait(FULL_S)  # the full disk itself is the input of this test
    assert "No space left" in server.log_path.read_text(errors="replace"), (
        "nobody met the full disk"
    )
    acknowledged = len(work.promised)
    filler.unlink()
    had_ended = not server.is_running()
    if not server.is_ready():
        server.kill()
        server.start()
        server.wait_ready()
    client.finish(180)
    work.wait_all_final(180)
    tell(runs=60, acknowledged_until_room=acknowledged, server_had_ended=int(had_ended))

    work.check()
