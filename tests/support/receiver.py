# SPDX-License-Identifier: Apache-2.0
"""A webhook receiver that keeps all that it was sent and answers as it is told to."""

import contextlib
import http.server
import socket
import threading
from dataclasses import dataclass, field


@dataclass
class Request:
    path: str
    headers: dict
    body: bytes
    answered: int


@dataclass
class Answer:
    status: int = 204
    headers: dict = field(default_factory=dict)
    body: bytes = b""


class Receiver:
    """`answer` is an Answer, or a function of (request number, path, headers, body) giving one."""

    def __init__(self, answer=None):
        self.answer = answer or Answer()
        self.asked = 0
        self.requests = []  # answered, in that order
        self._lock = threading.Lock()
        self._server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), self._handler())
        self._server.daemon_threads = True
        self._thread = threading.Thread(target=self._server.serve_forever, daemon=True)
        self._thread.start()

    @property
    def url(self):
        return f"http://127.0.0.1:{self._server.server_port}"

    def close(self):
        self._server.shutdown()
        self._server.server_close()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    def _take(self, path, headers, body):
        with self._lock:
            number = self.asked
            self.asked += 1
        answer = self.answer
        if callable(answer):
            answer = answer(
                number, path, headers, body
            )  # it may wait: others are answered meanwhile
        with self._lock:
            self.requests.append(Request(path, headers, body, answer.status))
        return answer

    def _handler(receiver):  # noqa: N805  (the handler's own self is another)
        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self):
                length = int(self.headers.get("Content-Length") or 0)
                headers = {key.lower(): value for key, value in self.headers.items()}
                answer = receiver._take(self.path, headers, self.rfile.read(length))
                self.send_response(answer.status)
                for key, value in answer.headers.items():
                    self.send_header(key, value)
                if answer.status != 204:
                    self.send_header("Content-Length", str(len(answer.body)))
                self.end_headers()
                self.wfile.write(answer.body)

            def log_message(self, *_):
                pass

        return Handler


class RudeReceiver:
    """A TCP server that gives each connection to `behave(connection, number)`, in a thread."""

    def __init__(self, behave):
        self.behave = behave
        self.connections = 0
        self._open = []
        self._socket = socket.create_server(("127.0.0.1", 0), backlog=64)
        self._thread = threading.Thread(target=self._accept, daemon=True)
        self._thread.start()

    @property
    def url(self):
        return f"http://127.0.0.1:{self._socket.getsockname()[1]}"

    def _accept(self):
        while True:
            try:
                connection, _ = self._socket.accept()
            except OSError:
                return
            self._open.append(connection)
            self.connections += 1
            arguments = (connection, self.connections)
            threading.Thread(target=self._serve, args=arguments, daemon=True).start()

    def _serve(self, connection, number):
        with contextlib.suppress(OSError):  # the other side hung up
            self.behave(connection, number)

    def close(self):
        with contextlib.suppress(OSError):
            self._socket.shutdown(socket.SHUT_RDWR)
        self._socket.close()
        for connection in self._open:
            connection.close()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()
