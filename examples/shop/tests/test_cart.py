# SPDX-License-Identifier: Apache-2.0
import pytest
from shop import Cart, CartError, Money, OutOfStock, Percentage


def test_an_empty_cart_costs_nothing(cart):
    assert cart.total() == Money(0)


def test_lines_are_summed(filled):
    assert filled.subtotal() == Money(3 * 450 + 2 * 1290)


def test_the_same_article_is_one_line(cart):
    cart.add("tea", Money(450))
    cart.add("tea", Money(450), 2)
    assert [(line.article, line.count) for line in cart.lines] == [("tea", 3)]


def test_one_article_has_one_price(filled):
    with pytest.raises(CartError, match="4.50 EUR, not 4.49 EUR"):
        filled.add("tea", Money(449))


@pytest.mark.parametrize("count", [0, 100])
def test_counts_out_of_range_are_refused(count):
    with pytest.raises(CartError):
        Cart().add("tea", Money(450), count)


def test_adding_reserves(filled, stock):
    assert (stock.free("tea"), stock.on_hand("tea")) == (7, 10)


def test_removing_gives_back(filled, stock):
    filled.remove("tea")
    assert stock.free("tea") == 10
    assert filled.total() == Money(2580)


def test_what_is_not_there_cannot_be_removed(cart):
    with pytest.raises(CartError, match="pot is not in the cart"):
        cart.remove("pot")


def test_more_than_there_is_leaves_the_cart_as_it_was(filled):
    before = filled.lines
    with pytest.raises(OutOfStock):
        filled.add("cup", Money(1290), 3)
    assert filled.lines == before


def test_a_cart_never_costs_less_than_nothing(filled):
    filled.use(Percentage(100))
    filled.use(Percentage(50))
    assert filled.total() == Money(0)
