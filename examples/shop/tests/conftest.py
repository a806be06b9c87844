# SPDX-License-Identifier: Apache-2.0
import datetime

import pytest
from shop import Cart, Money, Stock

TODAY = datetime.date(2026, 3, 31)


@pytest.fixture
def stock():
    return Stock(tea=10, cup=4, pot=1)


@pytest.fixture
def cart(stock):
    return Cart(stock, TODAY)


@pytest.fixture
def filled(cart):
    cart.add("tea", Money(450), 3)
    cart.add("cup", Money(1290), 2)
    return cart
