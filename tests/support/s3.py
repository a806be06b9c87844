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


class Gateway:
    """versitygw over a folder, whose folders are the buckets."""

    def __init__(self, folder, program):
        self._port = new_ports()
        self.url = f"http://127.0.0.1:{self._port}"
        files = pathlib.Path(folder) / "files"
        (files / BUCKET).mkdir(parents=True)
        address = f"127.0.0.1:{self._port}"
        self.process = Process(
            "s3",
            pathlib.Path(folder),
            [program, "--port", address, "--quiet", "posix", "--sidecar", _sidecar(folder), files],
            env=dict(zip(("ROOT_ACCESS_KEY", "ROOT_SECRET_KEY"), KEY, strict=True)),
        )
        self.process.is_ready = self._answers
        self.settings = {
            "VERDICT_BLOB_URL": f"s3+{self.url}/{BUCKET}/files",
            "VERDICT_BLOB_KEY_ID": KEY[0],
            "VERDICT_BLOB_SECRET": KEY[1],
        }

    def start(self):
        self.process.start()
        self.process.wait_ready()
        return self

    def stop(self):
        self.process.stop()
        release_ports(self._port)

    def _answers(self):
        try:
            return requests.get(self.url, timeout=2).status_code == 403
        except requests.ConnectionError:
            return False


def _sidecar(folder):
    """Where it keeps what it knows of the files, where the file system has no attributes for it."""
    path = pathlib.Path(folder) / "sidecar"
    path.mkdir()
    return path


class Moto:
    """Settings of a bucket that is there; nobody without its key is let in."""

    def __init__(self, folder):
        self._port = new_ports()
        self.url = f"http://127.0.0.1:{self._port}"
        self.process = Process(
            "s3",
            pathlib.Path(folder),
            [sys.executable, "-m", "moto.server", "-H", "127.0.0.1", "-p", self._port],
            env={"INITIAL_NO_AUTH_ACTION_COUNT": str(UNSIGNED_REQUESTS)},
        )
        self.process.is_ready = self._answers

    def start(self):
        self.process.start()
        self.process.wait_ready()
        made = subprocess.run(
            [sys.executable, MAKE_KEY, self.url, BUCKET],
            env={**os.environ, "AWS_ACCESS_KEY_ID": "none", "AWS_SECRET_ACCESS_KEY": "none"},
            check=True,
            capture_output=True,
        )
        key = json.loads(made.stdout)
        self.settings = {
            "VERDICT_BLOB_URL": f"s3+{self.url}/{BUCKET}/files",
            "VERDICT_BLOB_KEY_ID": key["AccessKeyId"],
            "VERDICT_BLOB_SECRET": key["SecretAccessKey"],
        }
        return self

    def stop(self):
        self.process.stop()
        release_ports(self._port)

    def _answers(self):
        try:
            return requests.get(f"{self.url}/moto-api/", timeout=2).ok
        except requests.ConnectionError:
            return False
