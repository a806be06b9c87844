# SPDX-License-Identifier: Apache-2.0
"""A server that speaks S3 (moto's) and checks signatures, for the store of files."""

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


class S3:
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
