# SPDX-License-Identifier: Apache-2.0
"""Fixtures of the tests with real parts, and the logs of the services when one of them fails."""

import os
import pathlib
import random
import sys

import pytest

sys.path.insert(0, str(pathlib.Path(__file__).parent))

from support.receiver import Receiver  # noqa: E402
from support.servers import KINDS, Servers, SharedFolder  # noqa: E402
from support.verdict import Verdict  # noqa: E402
from support.workload import Work  # noqa: E402

_VERDICTS = pytest.StashKey[list]()


@pytest.fixture(scope="session")
def shared_servers():
    """One Postgres, Redis and Kafka for all tests of the session. Never kill these."""
    folder = SharedFolder()
    servers = Servers(folder.path)
    try:
        servers.start()
        yield servers
    finally:
        servers.stop()
        folder.release()


@pytest.fixture
def private_servers(request, tmp_path):
    """Servers that the test may pause, kill and start again: all of them, or those that its marker
    `own` names; the others are the session's."""
    marker = request.node.get_closest_marker("own")
    own = marker.args if marker else KINDS
    shared = request.getfixturevalue("shared_servers") if set(own) < set(KINDS) else None
    servers = Servers(tmp_path / "servers", own=own, shared=shared)
    try:
        servers.start()
        yield servers
    finally:
        servers.remove()


@pytest.fixture
def verdict(request, tmp_path, shared_servers):
    """An installation of its own on the shared servers; starts no service by itself."""
    yield from _installation(request, tmp_path / "verdict", shared_servers)


@pytest.fixture(scope="module")
def shared_verdict(request, tmp_path_factory, shared_servers):
    """One installation for all tests of a module that leave its services as they are."""
    yield from _installation(request, tmp_path_factory.mktemp("verdict"), shared_servers)


@pytest.fixture
def private_verdict(request, tmp_path, private_servers):
    """An installation on servers of its own."""
    yield from _installation(request, tmp_path / "verdict", private_servers)


@pytest.fixture
def work(verdict, tmp_path):
    """A suite and what was promised for it; work.start() starts the services."""
    return Work(verdict, tmp_path / "work")


@pytest.fixture
def private_work(private_verdict, tmp_path):
    """The same on servers that the test may kill."""
    return Work(private_verdict, tmp_path / "work")


@pytest.fixture
def receiver():
    """A webhook receiver that answers 204."""
    with Receiver() as made:
        yield made


@pytest.fixture
def seed(record_property):
    """Of what is random in the test: given back by VERDICT_SEED, otherwise a new one; told at the
    end of the session either way."""
    seed = int(os.environ.get("VERDICT_SEED") or random.SystemRandom().randrange(1 << 32))
    record_property("VERDICT_SEED", seed)
    return seed


@pytest.fixture
def tell(record_property):
    """tell(kills=7): what the test has met, for the table of `make chaos`."""

    def told(**counts):
        for name, count in counts.items():
            record_property(name, count)
        print(counts)

    return told


def pytest_terminal_summary(terminalreporter):
    for outcome in ("passed", "failed"):
        for report in terminalreporter.getreports(outcome):
            if "VERDICT_SEED" in (told := dict(report.user_properties)):
                said = f"VERDICT_SEED={told['VERDICT_SEED']}"
                terminalreporter.write_line(f"{said} {outcome} {report.nodeid}")


def _installation(request, folder, servers):
    verdict = Verdict(folder, servers)
    request.node.stash.setdefault(_VERDICTS, []).append(verdict)
    try:
        yield verdict
    finally:
        verdict.close()


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item, call):
    report = yield
    if report.failed:
        for verdict in (v for node in item.listchain() for v in node.stash.get(_VERDICTS, [])):
            for name, text in verdict.logs().items():
                report.sections.append((f"log of {name}", text))
    return report
