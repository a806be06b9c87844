# SPDX-License-Identifier: Apache-2.0
"""A server that speaks S3 and checks signatures, for the store of files: moto's, or the gateway
that VERDICT_TEST_S3 names (`make test-s3` builds it)."""

import json
import os
import pathlib
import subprocess
import sys

import requests
from parts.process import Process

from .servers import new_ports, release_ports

BUCKET = "verdict-files"
MAKE_KEY = pathlib.Path(__file__).with_name("s3_key.py")
# What is done before anybody has a key: see s3_key.py.
UNSIGNED_REQUESTS = 4


KEY = ("verdict", "secret-of-the-gateway")


def make_s3(folder):
    program = os.environ.get("VERDICT_TEST_S3")
    return Gateway(folder, program) if program else Moto(folder)


class Server:
    """Settings of a bucket that is there; nobody without its key is let in."""

    def __init__(self, folder):
        self._port = new_ports()
        self.url = f"http://127.0.0.1:{self._port}"
        argv, environment = self._command(pathlib.Path(folder))
        self.process = Process("s3", pathlib.Path(folder), argv, env=environment)
        self.process.is_ready = self._answers

    def start(self):
        self.process.start()
        self.process.wait_ready()
        key_id, secret = self._make_key()
        self.settings = {
            "VERDICT_BLOB_URL": f"s3+{self.url}/{BUCKET}/files",
            "VERDICT_BLOB_KEY_ID": key_id,
            "VERDICT_BLOB_SECRET": secret,
        }
        return self

    def stop(self):
        self.process.stop()
        release_ports(self._port)

    def _answers(self):
        try:
            return requests.get(self.url + self.LOOK, timeout=2).status_code == self.ANSWER
        except requests.ConnectionError:
            return False


class Gateway(Server):
    """versitygw over a folder, whose folders are the buckets."""

    LOOK, ANSWER = "/", 403

    def __init__(self, folder, program):
        self._program = program
        super().__init__(folder)

    def _command(self, folder):
        files, sidecar = folder / "files", folder / "sidecar"
        (files / BUCKET).mkdir(parents=True)
        sidecar.mkdir()  # what it knows of the files, where the file system has no attributes
        address = f"127.0.0.1:{self._port}"
        argv = [self._program, "--port", address, "--quiet", "posix", "--sidecar", sidecar, files]
        return argv, dict(zip(("ROOT_ACCESS_KEY", "ROOT_SECRET_KEY"), KEY, strict=True))

    def _make_key(self):
        return KEY


class Moto(Server):
    LOOK, ANSWER = "/moto-api/", 200

    def _command(self, _):
        argv = [sys.executable, "-m", "moto.server", "-H", "127.0.0.1", "-p", self._port]
        return argv, {"INITIAL_NO_AUTH_ACTION_COUNT": str(UNSIGNED_REQUESTS)}

    def _make_key(self):
        made = subprocess.run(
            [sys.executable, MAKE_KEY, self.url, BUCKET],
            env={**os.environ, "AWS_ACCESS_KEY_ID": "none", "AWS_SECRET_ACCESS_KEY": "none"},
            check=True,
            capture_output=True,
        )
        key = json.loads(made.stdout)
        return key["AccessKeyId"], key["SecretAccessKey"]
