# SPDX-License-Identifier: Apache-2.0
"""A small shop: prices, a cart, discounts, stock and invoices. All money is in whole cents."""

from .cart import Cart, CartError
from .discounts import Bundle, Coupon, Percentage
from .invoice import Invoice, render
from .money import Money, MoneyError
from .stock import OutOfStock, Stock

__all__ = [
    "Bundle",
    "Cart",
    "CartError",
    "Coupon",
    "Invoice",
    "Money",
    "MoneyError",
    "OutOfStock",
    "Percentage",
    "Stock",
    "render",
]
