# SPDX-License-Identifier: Apache-2.0
"""As many cases as the suite's environment says."""

import os
import time


def make(number):
    def case():
        time.sleep(int(os.environ["PAUSE_MS"]) / 1000)
        assert number != int(os.environ.get("FAILS", 0)), "so it is made"

    return case


globals().update({f"test_{n}": make(n) for n in range(1, int(os.environ["CASES"]) + 1)})
