# SPDX-License-Identifier: Apache-2.0
"""The stock: what is on the shelf, and what of it is spoken for."""


class OutOfStock(Exception):
    """More was wanted than there is."""

    def __init__(self, article, wanted, free):
        super().__init__(f"{wanted} of {article} wanted, {free} free")
        self.article = article
        self.wanted = wanted
        self.free = free


class Stock:
    def __init__(self, **counts):
        self._on_hand = dict(counts)
        self._reserved = {}

    def on_hand(self, article):
        return self._on_hand.get(article, 0)

    def free(self, article):
        return self.on_hand(article) - self._reserved.get(article, 0)

    def receive(self, article, count):
        if count < 1:
            raise ValueError(f"a delivery of {count}")
        self._on_hand[article] = self.on_hand(article) + count

    def reserve(self, article, count):
        if count > self.free(article):
            raise OutOfStock(article, count, self.free(article))
        self._reserved[article] = self._reserved.get(article, 0) + count

    def release(self, article, count):
        reserved = self._reserved.get(article, 0)
        if count > reserved:
            raise ValueError(f"only {reserved} of {article} are reserved")
        self._reserved[article] = reserved - count

    def ship(self, article, count):
        self.release(article, count)
        self._on_hand[article] -= count
