# SPDX-License-Identifier: Apache-2.0
"""Amounts of money: whole cents of one currency, and shares of them that lose no cent."""

from __future__ import annotations

import dataclasses
import re
from fractions import Fraction

_TEXT = re.compile(r"(-?)(\d+)(?:[.](\d{2}))? ([A-Z]{3})")


class MoneyError(ValueError):
    """Amounts that do not go together, or a text that is no amount."""


@dataclasses.dataclass(frozen=True, order=False)
class Money:
    cents: int
    currency: str = "EUR"

    @classmethod
    def parse(cls, text):
        """Reads "12.50 EUR"."""
        match = _TEXT.fullmatch(text.strip())
        if match is None:
            raise MoneyError(f"{text!r} is no amount of money")
        sign, whole, cents, currency = match.groups()
        amount = int(whole) * 100 + int(cents or 0)
        return cls(-amount if sign else amount, currency)

    def __str__(self):
        whole, cents = divmod(abs(self.cents), 100)
        return f"{'-' if self.cents < 0 else ''}{whole}.{cents:02} {self.currency}"

    def __add__(self, other):
        return Money(self.cents + self._same(other).cents, self.currency)

    def __sub__(self, other):
        return Money(self.cents - self._same(other).cents, self.currency)

    def __mul__(self, count):
        return Money(self.cents * count, self.currency)

    def __lt__(self, other):
        return self.cents < self._same(other).cents

    def part(self, fraction):
        """A fraction of the amount, rounded half up, as tills do."""
        exact = self.cents * Fraction(fraction)
        return Money(int((exact + Fraction(1, 2)).__floor__()), self.currency)

    def split(self, weights):
        """Shares in proportion to the weights; their sum is the amount, to the cent."""
        total = sum(weights)
        if total <= 0:
            raise MoneyError("there is nothing to split the amount by")
        shares = [self.cents * weight // total for weight in weights]
        rest = self.cents - sum(shares)
        for index in range(rest):
            shares[index] += 1
        return [Money(share, self.currency) for share in shares]

    def _same(self, other):
        if other.currency != self.currency:
            raise MoneyError(f"{self} and {other} are of two currencies")
        return other
