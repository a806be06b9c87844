# SPDX-License-Identifier: Apache-2.0
"""Files and folders that hold secrets."""

import os
import pathlib


def write_private(path, text):
    """Writes or replaces a file that only its owner may read; it is whole at any moment."""
    fresh = pathlib.Path(f"{path}.new")
    fresh.unlink(missing_ok=True)
    descriptor = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "w") as file:
        file.write(text)
    fresh.replace(path)


def make_private(folder):
    """A folder that nobody else may look into. Root's Postgres, another user, passes through it."""
    folder = pathlib.Path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    folder.chmod(0o711 if os.geteuid() == 0 else 0o700)
