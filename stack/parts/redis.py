# SPDX-License-Identifier: Apache-2.0
"""A private Redis: a cache, so nothing is written to disk."""

import pathlib
import socket

from .process import Process


class Redis(Process):
    def __init__(self, folder, port, databases=16):
        self.port = port
        self.data = pathlib.Path(folder) / "redis"
        argv = ["/usr/bin/redis-server", "--bind", "127.0.0.1", "--port", port]
        argv += ["--databases", databases, "--save", "", "--appendonly", "no", "--dir", self.data]
        super().__init__("redis", folder, argv)

    def url(self, database=0):
        return f"redis://127.0.0.1:{self.port}/{database}"

    def start(self):
        self.data.mkdir(parents=True, exist_ok=True)
        super().start()

    def is_ready(self):
        try:
            with socket.create_connection(("127.0.0.1", self.port), timeout=1) as connection:
                connection.sendall(b"PING\r\n")
                return connection.recv(16).startswith(b"+PONG")
        except OSError:
            return False
