"""Transactions that wait for a block."""

from collections.abc import Callable

from eth.abc import SignedTransactionAPI


class Pool:
    """Waiting transactions by hash, in the order of their arrival."""

    def __init__(self) -> None:
        self._waiting: dict[bytes, SignedTransactionAPI] = {}

    def __bool__(self) -> bool:
        return bool(self._waiting)

    def __contains__(self, transaction_hash: bytes) -> bool:
        return transaction_hash in self._waiting

    def add(self, transaction_hash: bytes, transaction: SignedTransactionAPI) -> None:
        """Put one at the end."""
        self._waiting[transaction_hash] = transaction

    def take(self, transaction_hash: bytes) -> SignedTransactionAPI:
        """Remove one and return it."""
        return self._waiting.pop(transaction_hash)

    def find(self, transaction_hash: bytes) -> SignedTransactionAPI | None:
        """Return one, if it waits."""
        return self._waiting.get(transaction_hash)

    def nonces(self, sender: bytes) -> frozenset[int]:
        """Return the nonces that a sender's waiting ones use."""
        return frozenset(each.nonce for each in self._waiting.values() if each.sender == sender)

    def ready(self, nonce_of: Callable[[bytes], int]) -> list[bytes]:
        """Return those whose turn it is: by arrival, but each sender's by nonce without a gap."""
        by_sender: dict[bytes, dict[int, bytes]] = {}
        for transaction_hash, transaction in self._waiting.items():
            by_sender.setdefault(transaction.sender, {})[transaction.nonce] = transaction_hash
        turn = {sender: nonce_of(sender) for sender in by_sender}
        ready: list[bytes] = []
        for transaction in self._waiting.values():
            sender = transaction.sender
            next_hash = by_sender[sender].get(turn[sender])
            if next_hash is not None:
                ready.append(next_hash)
                turn[sender] += 1
        return ready

    def copy(self) -> "Pool":
        """Return a pool of the same transactions that goes its own way."""
        copied = Pool()
        copied._waiting = dict(self._waiting)
        return copied
