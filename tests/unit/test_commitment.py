"""Deals' terms in three words, their leaves, and the root over them."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from capshare.codec import keccak
from capshare.errors import UsageError
from capshare.market.book import Book, Fill, StandingOffer, StandingRequest
from capshare.market.commitment import (
    NO_DEALS,
    DealTerms,
    deals,
    is_proven,
    proof,
    proofs,
    root,
    terms_of,
)
from tests.unit.market_books import MARKET

DEAL = DealTerms(
    class_index=0x123,
    round=0x45678901,
    index=0x2345,
    provider=0x1A1A1A,
    consumer=0x2B2B2B,
    asset=0x3C3C3C,
    slot=0x4D4D4D,
    quantity=0x5E5E5E5E,
    price=0x6F6F6F6F6F6F6F6F6F,
    bond_per_unit=0x707070707070707070,
    offer_id=0x8181818181,
    request_id=0x9292929292,
)


def test_terms_are_packed_as_the_contracts_draw_them() -> None:
    assert [f"{word:064x}" for word in DEAL.words()] == [
        "1234567890123451a1a1a2b2b2b3c3c3c4d4d4d5e5e5e5e" + 17 * "0",
        "6f6f6f6f6f6f6f6f6f707070707070707070" + 28 * "0",
        "81818181819292929292" + 44 * "0",
    ]


def test_id_is_class_round_and_index() -> None:
    assert DEAL.id == 0x123_45678901_2345
    assert DEAL.words()[0] >> 196 == DEAL.id


def test_leaf_hashes_three_words() -> None:
    assert DEAL.leaf() == keccak(b"".join(word.to_bytes(32, "big") for word in DEAL.words()))


def test_terms_come_back_from_their_words() -> None:
    assert terms_of(DEAL.words()) == DEAL


@pytest.mark.parametrize("word", [0, 1, 2])
def test_words_with_unused_bits_are_refused(word: int) -> None:
    words = list(DEAL.words())
    words[word] |= 1
    with pytest.raises(UsageError, match="unused bits"):
        terms_of(words)


# -- the tree ------------------------------------------------------------------------------------

LEAVES = [keccak(bytes([n])) for n in range(9)]


def pair(one: bytes, other: bytes) -> bytes:
    return keccak(min(one, other) + max(one, other))


def test_no_deals_have_the_root_zero() -> None:
    assert root([]) == NO_DEALS == bytes(32)


def test_one_deal_is_its_own_root() -> None:
    assert root(LEAVES[:1]) == LEAVES[0]
    assert proof(LEAVES[:1], 0) == ()


def test_pairs_are_sorted_before_they_are_hashed() -> None:
    assert root(LEAVES[:2]) == root(LEAVES[1::-1]) == pair(LEAVES[0], LEAVES[1])


def test_last_of_an_odd_level_goes_up_as_it_is() -> None:
    a, b, c, d, e = LEAVES[:5]
    assert root([a, b, c]) == pair(pair(a, b), c)
    assert root([a, b, c, d, e]) == pair(pair(pair(a, b), pair(c, d)), e)
    assert proof([a, b, c, d, e], 4) == (pair(pair(a, b), pair(c, d)),)
    assert proof([a, b, c, d, e], 2) == (d, pair(a, b), e)


@given(st.lists(st.binary(min_size=32, max_size=32), min_size=1, max_size=40))
def test_every_leaf_is_proven(leaves: list[bytes]) -> None:
    for leaf, path in zip(leaves, proofs(leaves), strict=True):
        assert is_proven(leaf, path, root(leaves))
    assert proofs(leaves) == tuple(proof(leaves, n) for n in range(len(leaves)))


def test_other_leaf_or_path_is_not_proven() -> None:
    path = proof(LEAVES, 3)
    assert is_proven(LEAVES[3], path, root(LEAVES))
    assert not is_proven(LEAVES[4], path, root(LEAVES))
    assert not is_proven(LEAVES[3], path[:-1], root(LEAVES))
    assert not is_proven(LEAVES[3], path, root(LEAVES[:-1]))


# -- from fills ----------------------------------------------------------------------------------

BOOK = Book(
    offers=(
        StandingOffer(id=64, slot=9, quantity=5, price=3, credit=1, member=1, asset=77),
        StandingOffer(id=65, slot=8, quantity=5, price=9, member=2, asset=78),
    ),
    requests=(
        StandingRequest(id=128, first_slot=0, last_slot=9, quantity=5, price=12, member=2),
        StandingRequest(id=129, first_slot=0, last_slot=9, quantity=5, price=12, member=3),
    ),
)
FILLS = (
    Fill(offer=65, request=128, quantity=1),  # member 2 with itself
    Fill(offer=64, request=128, quantity=2),
    Fill(offer=65, request=129, quantity=3),
)


def test_fills_become_deals_and_netted_ones_are_skipped() -> None:
    first, second = deals(MARKET, BOOK, FILLS, (11, 10, 11))
    assert first == DealTerms(
        class_index=MARKET.class_index,
        round=MARKET.round,
        index=0,
        provider=1,
        consumer=2,
        asset=77,
        slot=9,
        quantity=2,
        price=10,
        bond_per_unit=1,  # ceil(max(3, reference 4) * 2,500 / 10,000)
        offer_id=64,
        request_id=128,
    )
    assert second == replace(
        first,
        index=1,
        provider=2,
        consumer=3,
        asset=78,
        slot=8,
        quantity=3,
        price=11,
        bond_per_unit=3,  # ceil(9 * 3,000 / 10,000)
        offer_id=65,
        request_id=129,
    )


def test_every_fill_needs_its_price() -> None:
    with pytest.raises(ValueError, match="zip"):
        deals(MARKET, BOOK, FILLS, (11, 10))
