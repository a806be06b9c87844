# SPDX-License-Identifier: Apache-2.0
"""What the users' command says of itself and of its surroundings."""

import contextlib
import email.utils
import http.server
import json
import threading
import time

import pytest
import requests
from parts.process import wait_until
from support.cli import Cli


@pytest.fixture(scope="module")
def installation(shared_verdict, tmp_path_factory):
    shared_verdict.source_roots.append(tmp_path_factory.getbasetemp())
    shared_verdict.start_all()
    return shared_verdict


@pytest.fixture
def cli(installation, tmp_path):
    return Cli(installation, tmp_path / "Till Shop")


@contextlib.contextmanager
def behind(url, date=None, version=None):
    """The same server as one with another clock, or of another version, shows itself."""

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self):
            headers = {"Authorization": self.headers["Authorization"]}
            answer = requests.get(url + self.path, headers=headers, timeout=20)
            body = answer.content
            if version is not None and self.path == "/v1/version":
                body = json.dumps({**answer.json(), "version": version}).encode()
            self.send_response_only(answer.status_code)
            self.send_header("Date", date or answer.headers["Date"])
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_):
            pass

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever, args=[0.05])
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()
        thread.join()


def examined(cli, *words, status=0, **settings):
    """{name: (status, text, advice)} of what doctor finds."""
    out, _ = cli("doctor", "--json", *words, status=status, **settings)
    answer = json.loads(out)
    assert answer["healthy"] == (status == 0)
    return {c["name"]: (c["status"], c["text"], c["advice"]) for c in answer["checks"]}


def test_a_doctor_finds_nothing_where_all_is_well(cli):
    wait_until(lambda: examined(cli)["workers"][0] == "ok", 60, "the worker to be online")
    found = examined(cli)
    out, err = cli("doctor")

    assert {status for status, _, _ in found.values()} == {"ok"}
    assert "within seconds" in found["clock"][1]
    assert "1 of 1 are online" in found["workers"][1]
    assert [line.split()[:2] for line in out.splitlines()] == [["ok", name] for name in found]
    assert err == ""


def test_a_doctor_says_what_is_wrong_with_the_address(cli):
    nobody = examined(cli, status=6, VERDICT_URL="http://127.0.0.1:1")
    unknown = examined(cli, status=2, VERDICT_URL="")
    deeper = examined(cli, status=6, VERDICT_URL=cli.verdict.api_url + "/v1")
    cli.write("config.yaml", "address: http://127.0.0.1\n")
    misspelt = examined(cli, status=2, VERDICT_CONFIG="config.yaml")

    assert nobody["server"][0] == "bad" and "127.0.0.1:1" in nobody["server"][1]
    assert "the server is up" in nobody["server"][2]
    assert nobody["token"][0] == "skipped"
    assert "set VERDICT_URL" in unknown["server"][2]
    assert "before /v1" in deeper["server"][2]
    assert "address" in misspelt["settings"][1] and misspelt["server"][0] == "ok"


def test_a_doctor_says_what_is_wrong_with_the_token(cli):
    good = cli.verdict.admin_token.read_text().strip()
    reader, _ = cli("token", "create", "--name", "reader", "--scopes", "runs:read")
    none = examined(cli, status=2, VERDICT_TOKEN="")
    cut = examined(cli, status=2, VERDICT_TOKEN=good[:-1])
    narrow = examined(cli, status=2, VERDICT_TOKEN=reader.strip())
    nowhere = examined(cli, "--project", "nowhere", status=2)

    assert "set VERDICT_TOKEN" in none["token"][2] and none["server"][0] == "ok"
    assert "not copied as a whole" in cut["token"][2] and "VERDICT_TOKEN" in cut["token"][1]
    assert narrow["token"][0] == "ok" and narrow["scopes"][0] == "bad"
    assert "runs:write" in narrow["scopes"][2]
    assert narrow["workers"][0] == "skipped"
    assert "nowhere" in nowhere["project"][1] and "--project" in nowhere["project"][2]


def test_a_doctor_compares_clocks_and_versions(cli):
    url = cli.verdict.api_url
    with behind(url, date=email.utils.formatdate(time.time() + 7200, usegmt=True)) as there:
        late = examined(cli, status=2, VERDICT_URL=there)
    with behind(url, version="0.999.0") as there:
        newer = examined(cli, VERDICT_URL=there)
    with behind(url, version="999.0.0") as there:
        other = examined(cli, status=2, VERDICT_URL=there)

    assert late["clock"][0] == "bad" and "behind the server's" in late["clock"][1]
    assert "time server" in late["clock"][2]
    assert newer["versions"][0] == "warning" and other["versions"][0] == "bad"
    assert "999.0.0" in other["versions"][1] and "install" in other["versions"][2]
