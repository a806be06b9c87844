# SPDX-License-Identifier: Apache-2.0
"""File systems of so many bytes or files."""

import contextlib
import subprocess

import pytest


@contextlib.contextmanager
def small_disk(folder, options):
    """Mounting needs rights that an ordinary user lacks: without them the test is skipped."""
    folder.mkdir(parents=True)
    mount = ["mount", "-t", "tmpfs", "-o", f"{options},mode=700", "tmpfs", folder]
    done = subprocess.run(mount, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        pytest.skip(f"cannot mount a small disk: {done.stderr.strip()}")
    try:
        yield folder
    finally:
        subprocess.run(["umount", "--lazy", folder], check=True)
