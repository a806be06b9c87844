# SPDX-License-Identifier: Apache-2.0
"""Streams of which a server serves so many at once."""

import socket
import struct

from parts.process import wait_until


def ask_and_reset(port, path, token=None):
    """Is gone before it is answered."""
    headers = f"Authorization: Bearer {token}\r\n" if token else ""
    with socket.create_connection(("127.0.0.1", port)) as client:
        client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        client.sendall(f"GET {path} HTTP/1.1\r\nHost: a\r\n{headers}\r\n".encode())


def take_all(count, ask, write):
    """The answers of that many streams, open at the same time. Each time that one is refused
    something is written to all, which is how a reader that has gone is noticed."""
    taken = []

    def all_are_taken():
        while len(taken) < count:
            answer = ask()
            if answer.status_code != 200:
                assert answer.status_code == 429
                write()
                return False
            taken.append(answer)
        return True

    wait_until(all_are_taken, 60, f"{count} seats")
    return taken
