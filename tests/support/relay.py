# SPDX-License-Identifier: Apache-2.0
"""What stands between a client and a server: passes bytes on, remembers how connections began, and
refuses, swallows or cuts those that a test names."""

import contextlib
import socket
import threading


def _shut(side):
    with contextlib.suppress(OSError):  # it has ended by itself
        side.shutdown(socket.SHUT_RDWR)


class Relay:
    """with Relay(port) as relay: … relay.url …

    `refuses` and `swallows` are texts: a connection whose first bytes hold one is answered 404, or
    gets no answer at all.
    """

    def __init__(self, port, refuses=None, swallows=None):
        self.port = port
        self.refuses = refuses
        self.swallows = swallows
        self.heads = []  # the first bytes of each connection
        self._open = []
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.url = f"http://127.0.0.1:{self._listener.getsockname()[1]}"
        self._thread = threading.Thread(target=self._accept, daemon=True)

    def __enter__(self):
        self._thread.start()
        return self

    def __exit__(self, *_):
        self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        self._thread.join(10)
        self.cut("")

    def heads_with(self, text):
        return [head for head in list(self.heads) if text in head]

    def cut(self, text):
        """Ends the connections that began with it."""
        for head, sides in list(self._open):
            for side in sides if text in head else ():
                _shut(side)

    def _accept(self):
        while True:
            try:
                client, _ = self._listener.accept()
            except OSError:
                return
            threading.Thread(target=self._serve, args=[client], daemon=True).start()

    def _serve(self, client):
        with client:
            first = client.recv(65536)
            head = first.decode("latin-1")
            self.heads.append(head)
            if self.refuses and self.refuses in head:
                client.sendall(b"HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n")
                return
            if self.swallows and self.swallows in head:
                self._open.append((head, [client]))
                while client.recv(65536):
                    pass
                return
            with socket.create_connection(("127.0.0.1", self.port)) as server:
                self._open.append((head, [client, server]))
                server.sendall(first)
                back = threading.Thread(target=self._pass_on, args=[server, client], daemon=True)
                back.start()
                self._pass_on(client, server)
                back.join()

    @staticmethod
    def _pass_on(source, target):
        with contextlib.suppress(OSError):  # cut
            while part := source.recv(65536):
                target.sendall(part)
        _shut(source)
        _shut(target)
