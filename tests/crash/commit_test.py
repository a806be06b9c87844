# SPDX-License-Identifier: Apache-2.0
"""A COMMIT whose answer is lost while its backend is still at it: when api-ingest tries again, the
rows in its way are its own."""

import concurrent.futures
import contextlib
import socket
import threading

import pytest
from parts.process import wait_until
from parts.services import role_url
from support.servers import new_ports, release_ports
from support.workload import Work

# The first of all COMMITs takes its time.
SLOW_COMMIT = """
CREATE SEQUENCE public.slow_commits;
CREATE FUNCTION public.slow_commit() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER AS $$
BEGIN
    IF nextval('public.slow_commits') = 1 THEN PERFORM pg_sleep(1.5); END IF;
    RETURN NULL;
END $$;
CREATE CONSTRAINT TRIGGER slow_commit AFTER INSERT ON api.run DEFERRABLE INITIALLY DEFERRED
    FOR EACH ROW EXECUTE FUNCTION public.slow_commit()
"""

ASLEEP = """SELECT count(*) FROM pg_stat_activity
            WHERE datname = current_database() AND wait_event = 'PgSleep'"""


class Proxy:
    """Between a service and Postgres, to be cut."""

    def __init__(self, port, target):
        self.target = target
        self.pairs = []
        self.listener = socket.create_server(("127.0.0.1", port))
        threading.Thread(target=self._accept, daemon=True).start()

    def _accept(self):
        with contextlib.suppress(OSError):
            while True:
                client, _ = self.listener.accept()
                server = socket.create_connection(self.target)
                self.pairs.append((client, server))
                for ends in ((client, server), (server, client)):
                    threading.Thread(target=self._copy, args=ends, daemon=True).start()

    def _copy(self, source, sink):
        with contextlib.suppress(OSError):
            while part := source.recv(65536):
                sink.sendall(part)
            sink.shutdown(socket.SHUT_WR)

    def cut(self):
        for client, server in self.pairs:
            for end in (client, server):
                with contextlib.suppress(OSError):
                    end.shutdown(socket.SHUT_RDWR)
        self.pairs.clear()

    def close(self):
        with contextlib.suppress(OSError):
            self.listener.shutdown(socket.SHUT_RDWR)
        self.listener.close()
        self.cut()


@pytest.fixture
def proxy(verdict):
    port = new_ports()
    made = Proxy(port, ("127.0.0.1", verdict.servers.postgres.port))
    made.port = port
    yield made
    made.close()
    release_ports(port)


@pytest.mark.parametrize("key", ["one", None])
def test_a_commit_that_ends_after_it_was_looked_for_is_found(verdict, tmp_path, proxy, key):
    work = Work(verdict, tmp_path / "work")
    url = role_url(verdict.urls["VERDICT_POSTGRES_URL"], "api-ingest", own_roles=True)
    through = url.replace(f":{verdict.servers.postgres.port}/", f":{proxy.port}/")
    assert through != url
    verdict.start("api-ingest", VERDICT_POSTGRES_URL=through)
    verdict.api.post("/v1/projects", {"slug": work.project, "title": "Work"})
    verdict.db.query(SLOW_COMMIT)
    headers = {"Idempotency-Key": key} if key else {}

    with concurrent.futures.ThreadPoolExecutor() as threads:
        answer = threads.submit(
            verdict.api.post, "/v1/runs", work.body(), expect=201, headers=headers
        )
        wait_until(lambda: verdict.db.value(ASLEEP), 20, "its COMMIT to be under way")
        proxy.cut()
        run = answer.result()

    assert [row["id"] for row in verdict.db.query("SELECT id::text FROM api.run")] == [run["id"]]
