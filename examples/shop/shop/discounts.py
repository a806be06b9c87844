# SPDX-License-Identifier: Apache-2.0
"""Discounts. Each says how much it takes off a list of lines; a cart applies them in order."""

import dataclasses
import datetime
from fractions import Fraction

from .money import Money


def total_of(lines):
    total = Money(0)
    for line in lines:
        total += line.total
    return total


@dataclasses.dataclass(frozen=True)
class Percentage:
    """So many per cent off everything."""

    percent: int

    def __post_init__(self):
        if not 0 < self.percent <= 100:
            raise ValueError(f"{self.percent} % is no discount")

    def reduction(self, lines, today):
        return total_of(lines).part(Fraction(self.percent, 100))


@dataclasses.dataclass(frozen=True)
class Bundle:
    """For every `take` of one article, one is free."""

    article: str
    take: int = 3

    def reduction(self, lines, today):
        mine = [line for line in lines if line.article == self.article]
        count = sum(line.count for line in mine)
        return mine[0].price * (count // self.take) if mine else Money(0)


@dataclasses.dataclass(frozen=True)
class Coupon:
    """A fixed amount off, from a smallest total on and up to a last day."""

    code: str
    amount: Money
    minimum: Money = Money(0)
    last_day: datetime.date | None = None

    def is_valid(self, lines, today):
        if self.last_day is not None and today > self.last_day:
            return False
        return not total_of(lines) < self.minimum

    def reduction(self, lines, today):
        return self.amount if self.is_valid(lines, today) else Money(0)
