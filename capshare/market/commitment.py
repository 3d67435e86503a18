"""The deals of a clearing as the leaves of one Merkle root.

A deal's terms are three words (contracts/types/Deal.sol):

```
          255  196 195       172 171       148 147    124 123   100 99      68 67          0
word 0  | id  60 | provider 24 | consumer 24 | asset 24 | slot 24 | quantity 32 | 0        68 |
word 1  | price        72   | bondPerUnit 72   | 0                                     112 |
word 2  | offer id     40   | request id  40   | 0                                     176 |
```

A leaf hashes the three words, an inner node two hashes, the smaller first; the last node of an odd
level goes up as it is. OpenZeppelin's MerkleProof verifies such proofs.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from capshare.codec import keccak
from capshare.errors import UsageError
from capshare.market.book import Book, Fill, Market
from capshare.orders import bond_per_unit

NO_DEALS = bytes(32)  # root of a clearing without deals


@dataclass(frozen=True, slots=True, kw_only=True)
class DealTerms:
    """What provider and consumer owe each other; fixed by the clearing."""

    class_index: int
    round: int
    index: int  # counts the clearing's deals in fill order, netted fills skipped
    provider: int  # member
    consumer: int  # member
    asset: int
    slot: int
    quantity: int  # [capacity units]
    price: int  # [token base units per capacity unit]
    bond_per_unit: int  # [token base units per capacity unit]
    offer_id: int
    request_id: int

    @property
    def id(self) -> int:
        """Return the deal's number: class index 12, round 32, index 16 bits."""
        return self.class_index << 48 | self.round << 16 | self.index

    def words(self) -> tuple[int, int, int]:
        """Return the three words that the leaf hashes."""
        return (
            self.id << 196
            | self.provider << 172
            | self.consumer << 148
            | self.asset << 124
            | self.slot << 100
            | self.quantity << 68,
            self.price << 184 | self.bond_per_unit << 112,
            self.offer_id << 216 | self.request_id << 176,
        )

    def leaf(self) -> bytes:
        """Return the deal's leaf in the clearing's tree."""
        return keccak(b"".join(word.to_bytes(32, "big") for word in self.words()))


def terms_of(words: Sequence[int]) -> DealTerms:
    """Return the terms that three words carry; raise `UsageError` if unused bits are set."""
    first, second, third = words
    terms = DealTerms(
        class_index=first >> 244,
        round=first >> 212 & 0xFFFFFFFF,
        index=first >> 196 & 0xFFFF,
        provider=first >> 172 & 0xFFFFFF,
        consumer=first >> 148 & 0xFFFFFF,
        asset=first >> 124 & 0xFFFFFF,
        slot=first >> 100 & 0xFFFFFF,
        quantity=first >> 68 & 0xFFFFFFFF,
        price=second >> 184,
        bond_per_unit=second >> 112 & (1 << 72) - 1,
        offer_id=third >> 216,
        request_id=third >> 176 & (1 << 40) - 1,
    )
    if terms.words() != (first, second, third):
        raise UsageError("the words of the deal have unused bits set")
    return terms


def deals(
    market: Market, book: Book, fills: Sequence[Fill], prices: Sequence[int]
) -> tuple[DealTerms, ...]:
    """Return the deals that fills become, in their order; a member's fills with itself do not.

    `prices` are the fills' [token base units per capacity unit]. `book` holds their orders.
    """
    offers = {offer.id: offer for offer in book.offers}
    requests = {request.id: request for request in book.requests}
    made: list[DealTerms] = []
    for fill, price in zip(fills, prices, strict=True):
        offer, request = offers[fill.offer], requests[fill.request]
        if offer.member == request.member:
            continue
        made.append(
            DealTerms(
                class_index=market.class_index,
                round=market.round,
                index=len(made),
                provider=offer.member,
                consumer=request.member,
                asset=offer.asset,
                slot=offer.slot,
                quantity=fill.quantity,
                price=price,
                bond_per_unit=bond_per_unit(
                    offer.price, offer.credit, market.reference, market.bond_rates
                ),
                offer_id=offer.id,
                request_id=request.id,
            )
        )
    return tuple(made)


def root(leaves: Sequence[bytes]) -> bytes:
    """Return the Merkle root over leaves in order; 32 zero bytes if there are none."""
    return _levels(leaves)[-1][0] if leaves else NO_DEALS


def proof(leaves: Sequence[bytes], index: int) -> tuple[bytes, ...]:
    """Return the path from leaf number `index` to the root: the siblings, from below."""
    return _path(_levels(leaves), index)


def proofs(leaves: Sequence[bytes]) -> tuple[tuple[bytes, ...], ...]:
    """Return the paths of all leaves; hashes each node once."""
    levels = _levels(leaves)
    return tuple(_path(levels, index) for index in range(len(leaves)))


def is_proven(leaf: bytes, path: Sequence[bytes], expected: bytes) -> bool:
    """Tell whether a path leads from a leaf to the expected root."""
    for sibling in path:
        leaf = _parent(leaf, sibling)
    return leaf == expected


def _path(levels: Sequence[Sequence[bytes]], index: int) -> tuple[bytes, ...]:
    path = []
    for level in levels[:-1]:
        sibling = index ^ 1
        if sibling < len(level):  # the last of an odd level has none
            path.append(level[sibling])
        index >>= 1
    return tuple(path)


def _levels(leaves: Sequence[bytes]) -> list[list[bytes]]:
    levels = [list(leaves)]
    while len(levels[-1]) > 1:
        level = levels[-1]
        pairs = zip(level[::2], level[1::2], strict=False)
        above = [_parent(left, right) for left, right in pairs]
        levels.append(above + level[len(level) - len(level) % 2 :])
    return levels


def _parent(one: bytes, other: bytes) -> bytes:
    return keccak(one + other if one < other else other + one)
