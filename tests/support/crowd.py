# SPDX-License-Identifier: Apache-2.0
"""Many connections at once, each with one request under way, cheap enough that the server and not
the client is what they wait for."""

import json
import selectors
import socket
import time
import urllib.parse


class _Connection:
    def __init__(self, address, requests):
        self.requests = requests
        self.answers = []
        self.received = b""
        self.socket = socket.create_connection(address, timeout=40)
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)

    def send(self):
        """False: nothing is left to send."""
        if len(self.answers) == len(self.requests):
            return False
        self.socket.sendall(self.requests[len(self.answers)])
        return True

    def receive(self):
        """True: one more answer is whole."""
        part = self.socket.recv(65536)
        assert part, f"the connection ended after {self.received[:500]!r}"
        self.received += part
        head, mark, body = self.received.partition(b"\r\n\r\n")
        if not mark:
            return False
        status, *lines = head.decode("latin-1").split("\r\n")
        parts = (line.partition(":") for line in lines)
        fields = {name.lower(): value.strip() for name, _, value in parts}
        if len(body) < int(fields["content-length"]):
            return False
        self.answers.append((int(status.split()[1]), body))
        self.received = b""
        return True


def post_json(url, path, token, body, **headers):
    """The bytes of a request."""
    payload = json.dumps(body).encode()
    fields = {
        "Host": urllib.parse.urlsplit(url).netloc,
        "Authorization": f"Bearer {token}",
        "Content-Type": "application/json",
        "Content-Length": len(payload),
        **headers,
    }
    lines = "".join(f"{name}: {value}\r\n" for name, value in fields.items())
    return f"POST {path} HTTP/1.1\r\n{lines}\r\n".encode() + payload


def send_all(url, requests_by_connection, deadline_s=60):
    """Sends each list over a connection of its own; returns all (status, body)."""
    target = urllib.parse.urlsplit(url)
    selector = selectors.DefaultSelector()
    connections = [_Connection((target.hostname, target.port), x) for x in requests_by_connection]
    end = time.monotonic() + deadline_s
    for connection in connections:
        selector.register(connection.socket, selectors.EVENT_READ, connection)
    open_ones = sum(connection.send() for connection in connections)
    while open_ones:
        ready = selector.select(end - time.monotonic())
        assert ready, f"no answer within {deadline_s} s"
        for key, _ in ready:
            if key.data.receive() and not key.data.send():
                open_ones -= 1
    for connection in connections:
        connection.socket.close()
    return [answer for connection in connections for answer in connection.answers]
