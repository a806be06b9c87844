# SPDX-License-Identifier: Apache-2.0
"""The cart: lines of articles, and the discounts on them."""

import dataclasses
import datetime

from .discounts import total_of
from .money import Money

MOST_OF_ONE_ARTICLE = 99


class CartError(ValueError):
    """Something that cannot be put into a cart."""


@dataclasses.dataclass(frozen=True)
class Line:
    article: str
    price: Money
    count: int

    @property
    def total(self):
        return self.price * self.count


class Cart:
    def __init__(self, stock=None, today=None):
        self._stock = stock
        self._today = today or datetime.date.today()
        self._lines = {}
        self._discounts = []

    @property
    def lines(self):
        return list(self._lines.values())

    def add(self, article, price, count=1):
        if count < 1:
            raise CartError(f"{count} of {article} cannot be added")
        before = self._lines.get(article)
        if before is not None and before.price != price:
            raise CartError(f"{article} is in the cart at {before.price}, not {price}")
        wanted = count + (before.count if before else 0)
        if wanted > MOST_OF_ONE_ARTICLE:
            raise CartError(f"at most {MOST_OF_ONE_ARTICLE} of one article, not {wanted}")
        if self._stock is not None:
            self._stock.reserve(article, count)
        self._lines[article] = Line(article, price, wanted)

    def remove(self, article):
        line = self._lines.pop(article, None)
        if line is None:
            raise CartError(f"{article} is not in the cart")
        if self._stock is not None:
            self._stock.release(article, line.count)

    def use(self, discount):
        self._discounts.append(discount)

    def subtotal(self):
        return total_of(self.lines)

    def reduction(self):
        """What all discounts take off; a cart never costs less than nothing."""
        reduction = Money(0)
        for discount in self._discounts:
            reduction += discount.reduction(self.lines, self._today)
        return min(reduction, self.subtotal())

    def total(self):
        return self.subtotal() - self.reduction()
