"""The in-process chain as a replay reads it: directly, without JSON between."""

from collections.abc import Iterator, Sequence

import rlp
from eth.rlp.accounts import Account
from trie import HexaryTrie

from capshare.chain import RawLog
from capshare.codec import keccak
from capshare.devnet.blocks import LogFilter
from capshare.devnet.embedded import EmbeddedChain
from capshare.replay import raw
from capshare.sources import Sent


class EmbeddedSource:
    """An embedded chain, pinned at its head."""

    def __init__(self, chain: EmbeddedChain) -> None:
        self._chain = chain
        self.block = chain.head.number
        self.time = chain.head.timestamp

    def logs(self, addresses: Sequence[str], first: int) -> Iterator[tuple[RawLog, int]]:
        """Yield the logs with their blocks' times."""
        wanted = LogFilter(addresses=frozenset(map(raw, addresses)))
        for log in self._chain.logs(wanted, first=first, last=self.block):
            entry = RawLog(
                address="0x" + log.address.hex(),
                topics=log.topics,
                data=log.data,
                block=log.block_number,
                log_index=log.log_index,
                tx_hash=log.transaction_hash,
            )
            yield entry, self._chain.block(log.block_number).timestamp

    def sent(self, tx_hash: bytes) -> Sent:
        """Return a mined transaction."""
        transaction = self._chain.receipt(tx_hash).transaction
        return Sent(sender=transaction.sender, to=transaction.to, data=transaction.data)

    def call(self, address: bytes, data: bytes) -> bytes:
        """Return what a view returns."""
        return self._chain.call(address, data, block=self.block)

    def code(self, address: bytes) -> bytes:
        """Return a contract's code."""
        return self._chain.code(address, self.block)

    def storage(self, address: bytes, slot: int) -> int:
        """Return a storage word."""
        return self._chain.storage(address, slot, self.block)

    def storage_root(self, address: bytes) -> bytes:
        """Return the root of a contract's whole storage."""
        root = self._chain.block(self.block).header.state_root
        accounts = HexaryTrie(self._chain.database, root_hash=root)
        account = rlp.decode(accounts[keccak(address)], sedes=Account)
        return bytes(account.storage_root)
