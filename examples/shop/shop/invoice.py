# SPDX-License-Identifier: Apache-2.0
"""Invoices: the lines of a cart with the discount shared out among them, and the tax in it."""

import dataclasses
from fractions import Fraction

from .money import Money

STANDARD_RATE = 19
REDUCED_RATE = 7


@dataclasses.dataclass(frozen=True)
class InvoiceLine:
    article: str
    count: int
    gross: Money
    rate: int

    @property
    def tax(self):
        """The tax that is in a gross amount."""
        return self.gross.part(Fraction(self.rate, 100 + self.rate))


@dataclasses.dataclass(frozen=True)
class Invoice:
    number: int
    lines: tuple

    @classmethod
    def of(cls, number, cart, reduced=()):
        """`reduced` names the articles of the reduced rate."""
        lines = cart.lines
        if not lines:
            raise ValueError("an empty cart has no invoice")
        off = _share_out(cart.reduction(), lines)
        return cls(
            number,
            tuple(
                InvoiceLine(
                    line.article,
                    line.count,
                    line.total - reduction,
                    REDUCED_RATE if line.article in reduced else STANDARD_RATE,
                )
                for line, reduction in zip(lines, off, strict=True)
            ),
        )

    @property
    def total(self):
        return sum((line.gross for line in self.lines), Money(0))

    @property
    def tax(self):
        return sum((line.tax for line in self.lines), Money(0))


def _share_out(reduction, lines):
    return reduction.split([line.total.cents for line in lines])


def render(invoice):
    """The invoice as text, one line per article."""
    rows = [f"Invoice {invoice.number:06}"]
    rows += [
        f"{line.count:>3} x {line.article:<20} {line.gross!s:>14}  {line.rate:>2} %"
        for line in invoice.lines
    ]
    rows.append(f"{'Total':<26} {invoice.total!s:>14}")
    rows.append(f"{'Tax in it':<26} {invoice.tax!s:>14}")
    return "\n".join(rows)
