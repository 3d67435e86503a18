"""Deals in words, and the proof that they were committed."""

from __future__ import annotations

from capshare.codec import keccak
from capshare.events import TermsWords
from capshare.ledger.commands import Reference
from capshare.ledger.state import State
from capshare.market.commitment import Deal


def deal_of(terms: TermsWords) -> Deal:
    """Return the deal that terms in words describe (`types/Deal.sol`)."""
    word0, word1, word2 = terms.word0, terms.word1, terms.word2
    return Deal(
        class_index=word0 >> 244,
        round=word0 >> 212 & 0xFFFFFFFF,
        index=word0 >> 196 & 0xFFFF,
        provider=word0 >> 172 & 0xFFFFFF,
        consumer=word0 >> 148 & 0xFFFFFF,
        asset=word0 >> 124 & 0xFFFFFF,
        slot=word0 >> 100 & 0xFFFFFF,
        quantity=word0 >> 68 & 0xFFFFFFFF,
        price=word1 >> 184,
        bond_per_unit=word1 >> 112 & (1 << 72) - 1,
        offer=word2 >> 216,
        request=word2 >> 176 & (1 << 40) - 1,
    )


def is_proven(state: State, reference: Reference) -> bool:
    """Tell whether the terms are a leaf of their clearing's root."""
    terms = reference.terms
    node = keccak(b"".join(w.to_bytes(32, "big") for w in (terms.word0, terms.word1, terms.word2)))
    for sibling in reference.proof:
        node = keccak(node + sibling if node < sibling else sibling + node)
    # Class and round stand beside each other in the terms as in the key.
    return node == state.roots[terms.word0 >> 212]
