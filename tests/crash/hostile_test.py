# SPDX-License-Identifier: Apache-2.0
"""P12: hostile clients cannot take the API down: its memory stays bounded, others are served, and
what is refused says why. Framing is in service/http_test.py, the parsers are under a fuzzer in
tests/fuzz."""

import contextlib
import itertools
import json
import selectors
import socket
import threading
import time

import pytest
from parts.process import wait_until
from support.memory import Memory

MB = 1024 * 1024
SMALL_KB = 64 * 1024  # what a refused client may cost: sockets' and allocators' leftovers
HELD_KB = 256 * 1024  # of bodies that are under way, all clients together
PARALLEL = 500
WAIT_S = 60
ANSWER_S = 15  # how long others may wait for an answer, at the very most


@pytest.fixture(scope="module")
def service(shared_verdict):
    service = shared_verdict.start("api-ingest", VERDICT_API_REQUEST_TIMEOUT="60s")
    shared_verdict.api.put("/v1/projects/shop", {})
    return service


@pytest.fixture
def verdict(shared_verdict, service):
    """Whatever was done to it: it has not been restarted, and others are served."""
    pid = service.pid()
    yield shared_verdict
    assert service.pid() == pid
    assert shared_verdict.api.get("/v1/me")["name"] == "admin"


class Others(threading.Thread):
    """Somebody who only wants to be served, all the time: each answer within ANSWER_S."""

    def __init__(self, verdict):
        super().__init__(daemon=True)
        self.api = verdict.api.with_token(verdict.admin_token.read_text().strip())
        self.api.timeout_s = ANSWER_S
        self.api.session.headers["Connection"] = "close"  # an idle one may be closed at any time
        self.served = 0
        self.faults = []
        self._stopped = threading.Event()

    def run(self):
        while not self._stopped.wait(0.02):
            try:
                self.api.get("/v1/me")
                self.api.post("/v1/projects/shop/environments", {"slug": "test"})
                self.served += 1
            except Exception as fault:
                self.faults.append(repr(fault))

    def __enter__(self):
        self.start()
        return self

    def __exit__(self, *_):
        served = self.served  # before the attack is over, or at once after a short one
        wait_until(lambda: self.served > served or self.faults, WAIT_S, "others to be served")
        self._stopped.set()
        self.join(WAIT_S)
        assert not self.is_alive()
        assert self.faults == []


def connect(verdict):
    return socket.create_connection(("127.0.0.1", verdict.api_port), timeout=WAIT_S)


def head(verdict, line, *headers, token=None):
    token = token or verdict.admin_token.read_text().strip()
    lines = [f"{line} HTTP/1.1", "Host: a", f"Authorization: Bearer {token}", *headers, "", ""]
    return "\r\n".join(lines).encode()


def flood(verdict, first, pieces):
    """Sends until the other end has had enough: the bytes that went out, the answer."""
    sent, answer = 0, b""
    with connect(verdict) as connection:
        try:
            for piece in itertools.chain([first], pieces):
                connection.sendall(piece)
                sent += len(piece)
        except (ConnectionResetError, BrokenPipeError):
            pass
        try:
            while part := connection.recv(65536):
                answer += part
        except ConnectionResetError:
            pass
    return sent, answer


def chunk(data):
    return b"%x\r\n%s\r\n" % (len(data), data)


# clients that take their time ---------------------------------------------------------------------


def drip(connections, byte, until):
    """A byte on each connection now and again, until each was closed by the other side."""
    with selectors.DefaultSelector() as selector:
        for connection in connections:
            connection.setblocking(False)
            selector.register(connection, selectors.EVENT_READ)
        while selector.get_map() and time.monotonic() < until:
            for key, _ in selector.select(0.2):
                try:
                    is_over = key.fileobj.recv(65536) == b""
                except OSError:
                    is_over = True
                if is_over:
                    selector.unregister(key.fileobj)
            for key in list(selector.get_map().values()):
                try:
                    key.fileobj.send(byte)
                except OSError:
                    selector.unregister(key.fileobj)
        return len(selector.get_map())


def test_500_clients_that_drip_are_cut_off_and_cost_nothing(shared_verdict):
    verdict = shared_verdict
    service = verdict.start("api-ingest", VERDICT_API_REQUEST_TIMEOUT="5s")
    verdict.api.put("/v1/projects/shop", {})
    with Memory(service) as memory, Others(verdict) as others:
        slow = [connect(verdict) for _ in range(PARALLEL)]
        for connection in slow[::2]:
            connection.sendall(b"GET /v1/me HTTP/1.1\r\nHost: a\r\nX-Slow: ")
        for connection in slow[1::2]:
            connection.sendall(head(verdict, "POST /v1/tokens", "Content-Length: 1000000") + b"{")
        left = drip(slow, b" ", time.monotonic() + WAIT_S)
        assert others.served > 1
        for connection in slow:
            connection.close()

    assert left == 0
    assert memory.rise_kb < SMALL_KB


# what is too large --------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("route", "bound"),
    [("POST /v1/tokens", MB), ("POST /v1/projects/shop/suites", 16 * MB)],
)
def test_a_gigabyte_that_is_announced_is_refused_before_it_comes(verdict, service, route, bound):
    with Memory(service) as memory:
        _, answer = flood(verdict, head(verdict, route, f"Content-Length: {1024 * MB}"), [])

    assert answer.startswith(b"HTTP/1.1 413 ")
    assert f"{bound} bytes" in json.loads(answer.partition(b"\r\n\r\n")[2])["message"]
    assert memory.rise_kb < SMALL_KB


@pytest.mark.parametrize("route", ["POST /v1/tokens", "POST /v1/projects/shop/suites"])
def test_a_gigabyte_in_chunks_is_cut_off(verdict, service, route):
    piece = chunk(b" " * MB)

    with Memory(service) as memory, Others(verdict):
        begin = head(verdict, route, "Transfer-Encoding: chunked")
        sent, answer = flood(verdict, begin, (piece for _ in range(1024)))

    assert sent < 128 * MB
    assert answer == b""  # docs/guarantees.md: the library answers only behind a body
    assert memory.rise_kb < SMALL_KB


def revoked(verdict):
    made = verdict.api.post("/v1/tokens", {"name": "t", "scopes": ["admin"]}, expect=201)
    verdict.api.delete(f"/v1/tokens/{made['id']}")
    return made["token"]


def begin_suite(verdict, token=None):
    """A body of 16 MB is to follow."""
    return head(verdict, "POST /v1/projects/shop/suites", f"Content-Length: {16 * MB}", token=token)


def post_of(verdict, length):
    """What is said of a token's name of this length, where there was room for it."""
    return verdict.api.request("POST", "/v1/tokens", json={"name": "x" * length})


def test_who_sends_a_large_body_is_looked_up_before_it_comes(verdict, service):
    """Bodies of somebody whose token is revoked take no room: large ones of others are served."""
    begin = begin_suite(verdict, revoked(verdict))
    held = [connect(verdict) for _ in range(24)]

    with Memory(service) as memory:
        for connection in held:
            connection.sendall(begin + b" " * (15 * MB))
        with Others(verdict):
            assert post_of(verdict, 900_000).status_code == 400
        for connection in held:
            connection.close()

    assert memory.rise_kb < SMALL_KB


def test_large_bodies_that_never_end_leave_room_for_small_ones(verdict, service):
    """By somebody whose token is good. What is held together is bounded, and when no large body is
    taken any more, small ones are."""
    large, small = 65 * 1024, 60 * 1024
    held = []
    with Memory(service) as memory, contextlib.ExitStack() as sockets:

        def is_full():
            held.append(sockets.enter_context(connect(verdict)))
            length = 15 * MB if len(held) <= 17 else 200 * 1024
            held[-1].sendall(begin_suite(verdict) + b" " * length)
            return post_of(verdict, large).status_code == 503

        wait_until(is_full, WAIT_S, "room for large bodies to be taken")
        with Others(verdict):
            answer = post_of(verdict, small)
        assert answer.status_code == 400 and "name" in answer.json()["message"]

    assert memory.rise_kb < HELD_KB + SMALL_KB


# What each is answered. 500 is what libmicrohttpd says when a chunk's first line does not fit into
# its memory; nothing at all where a body goes on for long behind its refusal.
BOMBS = {
    "a length of 2^64": ((b"10000000000000000\r\n",), b"413"),
    "a length just below": ((b"ffffffffffffffff\r\n" + b"a" * 20 * MB,), b"", b"413"),
    "a length without end": ((b"1" * MB,), b"413", b"500"),
    "a million chunks of a byte": ((b"1\r\na\r\n" * 1_100_000, b"0\r\n\r\n"), b"413"),
    "an extension of 10 MB": ((b"1;" + b"x" * 10 * MB + b"\r\na\r\n0\r\n\r\n",), b"500"),
    "a million trailers": ((b"0\r\n" + b"a: b\r\n" * 1_000_000 + b"\r\n",), b"431", b"400"),
}


@pytest.mark.parametrize("bomb", BOMBS.values(), ids=BOMBS.keys())
def test_a_bomb_of_chunks_is_refused(verdict, service, bomb):
    """What stands behind it is never read as a request of its own."""
    begin = head(verdict, "POST /v1/tokens", "Transfer-Encoding: chunked", "Connection: close")
    pieces, *expected = bomb
    behind = b"0\r\n\r\nGET /v1/me HTTP/1.1\r\nHost: a\r\n\r\n"

    with Memory(service) as memory:
        _, answer = flood(verdict, begin, (*pieces, behind))

    assert (answer.split(b" ")[1] if answer else b"") in expected, answer[:300]
    assert answer.count(b"HTTP/1.1 ") <= 1
    assert memory.rise_kb < SMALL_KB


@pytest.mark.parametrize(
    "headers",
    [b"X-Long: " + b"x" * 1_000_000, b"a: b\r\n" * 200_000, b"x" * 1_000_000],
    ids=["one", "many", "no colon"],
)
def test_a_million_bytes_of_headers_are_refused(verdict, service, headers):
    raw = b"GET /v1/version HTTP/1.1\r\nHost: a\r\n" + headers + b"\r\n\r\n"

    with Memory(service) as memory:
        _, answer = flood(verdict, raw, ())

    assert answer == b"" or answer.split(b" ")[1] in (b"400", b"413", b"431")
    assert memory.rise_kb < SMALL_KB


# what is nonsense ---------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("body", "said"),
    [
        (b"[" * 1_000_000, "deeper than 32"),
        (b'{"name":' * 125_000, "deeper than 32"),
        (b'{"name": "a", "labels": {"x": 1, "x": 2}}', "duplicate object key"),
        (b'{"name": "\\u0000"}', "\\u0000"),
        (b'{"name": "a\x00b"}', "line 1"),
        (b'{"name": "\xc0\xaf"}', "0xc0"),
        (b'{"name": "\\ud800"}', "line 1"),
        (b'{"name": 1e400}', "line 1"),
        (b'{"name": ' + b"9" * 100_000 + b"}", "line 1"),
        (b'{"name": "' + b"x" * 100_000 + b'", "scopes": ["admin"]}', "name"),
        (b'{"name": "a", "scopes": [' + b'"admin",' * 100_000 + b'"admin"]}', "scopes"),
    ],
    ids=range(11),
)
def test_nonsense_is_refused_and_says_what_it_is(verdict, service, body, said):
    headers = {"Content-Type": "application/json"}

    with Memory(service) as memory:
        answer = verdict.api.request("POST", "/v1/tokens", data=body, headers=headers)

    assert answer.status_code == 400
    assert said in answer.text
    assert len(answer.content) < 4096
    assert memory.rise_kb < SMALL_KB


@pytest.mark.parametrize(
    ("path", "status", "said"),
    [
        ("/v1/projects/" + "x" * 3000, 414, "2048 bytes"),
        ("/v1/projects/" + "x" * 2000, 404, "no project"),
        ("/v1/" + "/".join("x" * 500), 404, "nothing at"),
        ("/v1/me?" + "&".join(f"a{n}=1" for n in range(200)), 400, "parameters"),
    ],
    ids=["long", "long name", "many parts", "many parameters"],
)
def test_a_path_without_end_is_refused(verdict, path, status, said):
    answer = verdict.api.request("GET", path)

    assert answer.status_code == status
    assert said in answer.json()["message"]
    assert len(answer.content) < 4096
