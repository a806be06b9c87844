# SPDX-License-Identifier: Apache-2.0
"""What a service's memory costs, as the kernel sees it."""

import pathlib


def memory_kb(service, name):
    lines = pathlib.Path(f"/proc/{service.pid()}/status").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith(name))


class Memory:
    """How far the service's memory rose above where it stood, at any time in between."""

    def __init__(self, service):
        self.service = service

    def __enter__(self):
        pathlib.Path(f"/proc/{self.service.pid()}/clear_refs").write_text("5")  # the peak, anew
        self.before_kb = memory_kb(self.service, "VmRSS")
        return self

    def __exit__(self, *_):
        self.rise_kb = memory_kb(self.service, "VmHWM") - self.before_kb
