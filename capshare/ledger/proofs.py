"""Deals in words, and the proof that they were committed."""

from __future__ import annotations

from capshare.codec import keccak
from capshare.events import TermsWords
from capshare.ledger.commands import Reference
from capshare.ledger.state import State
from capshare.market import commitment
from capshare.market.commitment import DealTerms


def deal_of(terms: TermsWords) -> DealTerms:
    """Return the deal that terms in words describe; raise UsageError for words of no deal."""
    return commitment.terms_of((terms.word0, terms.word1, terms.word2))


def words_of(deal: DealTerms) -> TermsWords:
    """Return a deal's terms as calls and events carry them."""
    word0, word1, word2 = deal.words()
    return TermsWords(word0=word0, word1=word1, word2=word2)


def is_proven(state: State, reference: Reference) -> bool:
    """Tell whether the terms, whatever they say, are a leaf of their clearing's root."""
    terms = reference.terms
    words = (terms.word0, terms.word1, terms.word2)
    leaf = keccak(b"".join(word.to_bytes(32, "big") for word in words))
    # Class and round stand beside each other in the terms as in the key.
    return commitment.is_proven(leaf, reference.proof, state.roots[terms.word0 >> 212])
