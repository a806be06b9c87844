# SPDX-License-Identifier: Apache-2.0
"""api-ingest as an HTTP server: framing, limits, slow clients, stops, lost databases."""

import concurrent.futures
import json
import signal
import socket
import time

import psycopg
import pytest
import requests
import support
from parts.process import wait_until

SUITE = {**support.SUITE, "slug": "smoke"}


@pytest.fixture
def service(verdict):
    return verdict.start("api-ingest", VERDICT_API_REQUEST_TIMEOUT="1s")


def connect(verdict, timeout_s=10):
    return socket.create_connection(("127.0.0.1", verdict.api_port), timeout=timeout_s)


def read_all(connection):
    data = b""
    try:
        while piece := connection.recv(65536):
            data += piece
    except ConnectionResetError:
        pass
    return data


def ask(verdict, raw):
    """The status line of the answer to raw bytes; "" when the connection was just closed."""
    with connect(verdict) as connection:
        connection.sendall(raw.replace(b"\n", b"\r\n"))
        return read_all(connection).partition(b"\r\n")[0].decode()


CLOSE = b"Connection: close\n"


@pytest.mark.parametrize(
    "raw",
    [
        b"GET /v1/version HTTP/1.1\nHost: a\nHost: b\n\n",
        b"POST /v1/runs HTTP/1.1\nHost: a\nContent-Length: 3\nContent-Length: 3\n\nabc",
        b"POST /v1/runs HTTP/1.1\nHost: a\nContent-Length: 3\nTransfer-Encoding: chunked\n\n0\n\n",
        b"POST /v1/runs HTTP/1.1\nHost: a\nTransfer-Encoding: gzip\n\n",
        b"POST /v1/runs HTTP/1.1\nHost: a\nTransfer-Encoding: chunked, chunked\n\n0\n\n",
        b"POST /v1/runs HTTP/1.1\nHost: a\nContent-Length: -1\n\n",
        b"POST /v1/runs HTTP/1.1\nHost: a\nContent-Length: 3x\n\nabc",
        b"GET /v1/version HTTP/1.1\n\n",
    ],
)
def test_framing_that_two_servers_could_read_differently_is_refused(verdict, service, raw):
    status = ask(verdict, raw)

    assert status == "" or " 400 " in status + " "


def test_a_broken_escape_in_the_path_or_query_is_refused(verdict, service):
    for path in (b"/v1/version?a=%zz", b"/v1/version?a=%00", b"/v1/projects/%ff"):
        assert " 400 " in ask(verdict, b"GET " + path + b" HTTP/1.1\nHost: a\n" + CLOSE + b"\n")


def test_what_is_not_there_and_what_is_not_allowed_are_problems(verdict, service):
    for method, path, status in (
        ("GET", "/", 404),
        ("GET", "/v1/none", 404),
        ("PATCH", "/v1/version", 405),
        ("OPTIONS", "/v1/version", 405),
    ):
        answer = verdict.api.request(method, path)
        assert answer.status_code == status
        assert answer.headers["Content-Type"] == "application/problem+json"
        assert answer.json()["status"] == status
    assert answer.headers["Allow"] == "GET"
    assert verdict.api.request("HEAD", "/v1/version").status_code == 200


def test_a_body_that_is_too_large_is_answered_with_413(verdict, service):
    announced = verdict.api.request("POST", "/v1/tokens", data=b"x" * (1024 * 1024 + 1))
    chunked = verdict.api.request("POST", "/v1/tokens", data=iter([b"x" * 700_000] * 2))

    assert announced.status_code == chunked.status_code == 413
    assert "1048576 bytes" in chunked.json()["message"]


@pytest.mark.parametrize(
    ("body", "status"),
    [
        (b"", 400),
        (b"{", 400),
        (b"[]", 400),
        (b'{"name": "a", "name": "b"}', 400),
        (b'{"name": "\xff"}', 400),
        (b'{"name": "\\u0000"}', 400),
        (b"[" * 40 + b"]" * 40, 400),
    ],
)
def test_what_is_not_a_json_object_is_refused(verdict, service, body, status):
    headers = {"Content-Type": "application/json"}

    answer = verdict.api.request("POST", "/v1/tokens", data=body, headers=headers)

    assert (answer.status_code, answer.json()["code"]) == (status, "invalid")


def test_another_content_type_is_named(verdict, service):
    headers = {"Content-Type": "text/xml"}

    answer = verdict.api.request("POST", "/v1/tokens", data=b"<a/>", headers=headers)

    assert answer.status_code == 415


def test_a_client_that_sends_a_byte_now_and_then_is_cut_off(verdict, service):
    started = time.monotonic()

    with connect(verdict) as connection:
        for byte in b"GET /v1/version HTTP/1.1\r\nX-Slow: " + b"x" * 1000:
            try:
                connection.sendall(bytes([byte]))
                connection.settimeout(0.1)
                if connection.recv(1) == b"":
                    break
            except TimeoutError:
                continue
            except (ConnectionResetError, BrokenPipeError):
                break

    assert time.monotonic() - started < 8


def test_slow_clients_do_not_keep_others_from_being_served(verdict, service):
    slow = [connect(verdict) for _ in range(200)]
    for connection in slow:
        connection.sendall(b"POST /v1/tokens HTTP/1.1\r\nHost: a\r\nContent-Length: 100\r\n\r\n{")
    started = time.monotonic()

    verdict.api.get("/v1/me")

    assert time.monotonic() - started < 2
    for connection in slow:
        connection.close()


def test_a_connection_is_used_again(verdict, service):
    request = b"GET /v1/version HTTP/1.1\r\nHost: a\r\n\r\n"
    with connect(verdict) as connection:
        for _ in range(3):
            connection.sendall(request)
            head = b""
            while not head.endswith(b"}"):
                head += connection.recv(65536)
            assert head.startswith(b"HTTP/1.1 200")


def test_many_clients_at_once_are_all_answered(verdict, service):
    def one(_):
        return verdict.api.with_token(verdict.admin_token.read_text().strip()).get("/v1/me")

    with concurrent.futures.ThreadPoolExecutor(64) as pool:
        answers = list(pool.map(one, range(640)))

    assert {a["name"] for a in answers} == {"admin"}


def test_it_stops_within_a_second_while_connections_are_open(verdict, service):
    idle = [connect(verdict) for _ in range(10)]
    started = time.monotonic()

    status = verdict.stop("api-ingest")

    assert status == 0
    assert time.monotonic() - started < 3
    for connection in idle:
        connection.close()


@pytest.mark.own("postgres")
def test_without_postgres_it_says_so_and_comes_back_by_itself(private_verdict):
    verdict = private_verdict
    service = verdict.start("api-ingest")
    verdict.api.get("/v1/projects")
    verdict.servers.postgres.stop()

    answer = verdict.api.request("GET", "/v1/projects")
    wait_until(lambda: not service.is_ready(), 10, "it to be not ready")
    verdict.servers.postgres.start()
    verdict.servers.postgres.wait_ready()
    wait_until(lambda: verdict.api.request("GET", "/v1/projects").ok, 15, "it to come back")

    assert answer.status_code == 503
    assert int(answer.headers["Retry-After"]) >= 1
    wait_until(service.is_ready, 10, "it to be ready")


@pytest.mark.own("postgres")
def test_a_restart_of_postgres_between_two_requests_is_not_noticed(private_verdict):
    verdict = private_verdict
    verdict.start("api-ingest")
    for _ in range(20):
        verdict.api.get("/v1/projects")
    verdict.servers.postgres.stop()
    verdict.servers.postgres.start()
    verdict.servers.postgres.wait_ready()

    statuses = {
        verdict.api.request("PUT", "/v1/projects/shop", json={}).status_code for _ in range(20)
    }

    assert statuses <= {200, 201}


def test_a_failure_inside_tells_the_world_nothing(verdict, service):
    verdict.db.query("ALTER TABLE api.environment RENAME TO hidden")
    verdict.api.put("/v1/projects/shop", {})

    answer = verdict.api.request("GET", "/v1/projects/shop/environments")

    assert answer.status_code == 500
    assert "environment" not in json.dumps({**answer.json(), "instance": ""}).replace(
        "/environments", ""
    )
    assert answer.headers["X-Request-Id"] in service.log_tail(20)


def test_requests_are_counted_by_route_and_status(verdict, service):
    verdict.api.get("/v1/me")
    verdict.api.get("/v1/projects/none", expect=404)

    _, text = service.health("/metrics")

    assert 'verdict_http_requests_total{route="GET /v1/me",status="200"} 1' in text
    assert 'verdict_http_requests_total{route="GET /v1/projects/{project}",status="404"} 1' in text


def test_what_is_refused_for_now_says_when_to_come_back(verdict):
    """While it stops, and while Postgres lets somebody wait too long."""
    service = verdict.start("api-ingest")
    api = verdict.api
    api.put("/v1/projects/shop", {})
    run = api.post("/v1/runs", {"project": "shop", "suite": SUITE}, expect=201)
    other = api.with_token(verdict.admin_token.read_text().strip())
    health = f"http://127.0.0.1:{service.health_port}/readyz"

    with psycopg.connect(verdict.db.url) as blocker:
        blocker.execute("LOCK TABLE api.environment")
        with concurrent.futures.ThreadPoolExecutor(1) as pool:
            blocked = pool.submit(other.request, "GET", "/v1/projects/shop/environments")
            waiting = "SELECT count(*) FROM pg_locks WHERE NOT granted"
            wait_until(lambda: verdict.db.value(waiting) == 1, 10, "a request to be blocked")
            service.signal(signal.SIGTERM)
            wait_until(lambda: not service.is_ready(), 5, "it to stop")
            answers = [
                api.request("GET", f"/v1/runs/{run['id']}/events"),  # by a connection of before
                requests.get(health, timeout=5),
                blocked.result(timeout=20),
            ]

    assert [answer.status_code for answer in answers] == [503, 503, 503]
    assert {answer.headers.get("Retry-After") for answer in answers} == {"1"}


def test_a_second_signal_ends_it_at_once(verdict, service):
    service.signal(signal.SIGTERM)
    service.signal(signal.SIGTERM)

    wait_until(lambda: not service.is_running(), 5, "it to end")


@pytest.mark.own("kafka")
def test_without_kafka_wishes_are_kept_and_sent_later(private_verdict):
    verdict = private_verdict
    service = verdict.start("api-ingest")
    verdict.api.put("/v1/projects/shop", {})
    hook = verdict.api.post("/v1/projects/shop/webhooks", {"url": "https://example.com"})
    verdict.servers.kafka.stop()

    verdict.api.post(f"/v1/projects/shop/webhooks/{hook['id']}/test", expect=202)
    assert service.is_ready()
    assert verdict.db.value("SELECT count(*) FROM api.outbox") == 1
    verdict.servers.kafka.start()
    verdict.servers.kafka.wait_ready()

    wait_until(lambda: verdict.bus.read_json("events"), 30, "the wish to be sent")
    wait_until(lambda: verdict.db.value("SELECT count(*) FROM api.outbox") == 0, 10, "the outbox")


@pytest.mark.own("kafka")
def test_it_stops_in_time_without_kafka(private_verdict):
    verdict = private_verdict
    verdict.start("api-ingest", VERDICT_STOP_GRACE="10s")
    verdict.servers.kafka.stop()

    assert verdict.stop("api-ingest") == 0


def test_what_is_too_long_for_the_library_is_refused_by_it(verdict, service):
    """Before any of our code has seen it: not in JSON."""
    line = b"GET /v1/" + b"x" * 40000 + b" HTTP/1.1\nHost: a\n\n"
    header = b"GET /v1/version HTTP/1.1\nHost: a\nX-Long: " + b"x" * 40000 + b"\n\n"

    assert ask(verdict, line) == "HTTP/1.1 414 URI Too Long"
    assert ask(verdict, header) == "HTTP/1.1 431 Request Header Fields Too Large"
