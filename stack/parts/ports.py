# SPDX-License-Identifier: Apache-2.0
"""Blocks of free ports on the loopback address, below those that the kernel gives to clients."""

import socket

from .process import StackError

DEFAULT_BASE = 27100
BLOCK = 20
LIMIT = 32000


def is_free(port):
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
    return True


def find_block(base=DEFAULT_BASE, size=BLOCK):
    """The first block of `size` free ports from `base` on."""
    for first in range(base, LIMIT, size):
        if all(is_free(port) for port in range(first, first + size)):
            return first
    raise StackError(f"no {size} free ports between {base} and {LIMIT}")
