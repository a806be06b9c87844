# SPDX-License-Identifier: Apache-2.0
import sys
import threading
import time

import pytest
from shop import OutOfStock, Stock


def test_an_unknown_article_is_not_there(stock):
    assert stock.free("cake") == 0


def test_a_delivery_can_be_sold(stock):
    stock.receive("pot", 2)
    stock.reserve("pot", 3)
    assert stock.free("pot") == 0


def test_a_delivery_of_nothing_is_refused(stock):
    with pytest.raises(ValueError, match="a delivery of 0"):
        stock.receive("tea", 0)


def test_out_of_stock_says_what_is_free(stock):
    stock.reserve("cup", 3)
    with pytest.raises(OutOfStock, match="2 of cup wanted, 1 free") as caught:
        stock.reserve("cup", 2)
    assert (caught.value.article, caught.value.wanted, caught.value.free) == ("cup", 2, 1)


def test_only_what_is_reserved_can_be_released(stock):
    with pytest.raises(ValueError, match="only 0 of cup"):
        stock.release("cup", 1)


def test_shipping_takes_it_from_the_shelf(stock):
    stock.reserve("tea", 4)
    stock.ship("tea", 4)
    assert (stock.on_hand("tea"), stock.free("tea")) == (6, 6)


@pytest.mark.slow
def test_a_day_of_deliveries_leaves_what_came_minus_what_went():
    """Two seconds of receiving and shipping from another thread, in turns."""
    stock = Stock(tea=0)
    turn = threading.Condition()
    end = time.monotonic() + 2

    def ship():
        while time.monotonic() < end:
            with turn:
                turn.wait_for(lambda: stock.free("tea") > 0, timeout=0.1)
                if stock.free("tea") > 0:
                    stock.reserve("tea", 1)
                    stock.ship("tea", 1)
                turn.notify()

    shipper = threading.Thread(target=ship)
    shipper.start()
    received = 0
    while time.monotonic() < end:
        with turn:
            stock.receive("tea", 2)
            received += 2
            turn.notify()
            turn.wait(timeout=0.001)
    shipper.join()
    print(f"{received} received, {stock.on_hand('tea')} left")
    assert 0 <= stock.on_hand("tea") <= received


@pytest.mark.skipif(sys.platform != "win32", reason="the till's drawer is driven on Windows only")
def test_the_drawer_opens():
    raise AssertionError("never called")
