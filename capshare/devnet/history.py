"""The sealed blocks of a chain, found by height, hash or transaction."""

from collections.abc import Iterator, Sequence

from capshare.devnet.blocks import Block, Receipt
from capshare.errors import NotFound

Blockish = int | str  # a height, or "latest", "earliest", "pending", "safe", "finalized"


class History:
    """A chain from its genesis block on."""

    def __init__(self, genesis: Block) -> None:
        self._blocks = [genesis]
        self._numbers = {genesis.hash: 0}
        self._receipts: dict[bytes, Receipt] = {}

    @property
    def head(self) -> Block:
        """The latest block."""
        return self._blocks[-1]

    def append(self, block: Block) -> None:
        """Put a block on top."""
        self._blocks.append(block)
        self._numbers[block.hash] = block.number
        self._receipts.update((each.transaction_hash, each) for each in block.receipts)

    def cut(self, height: int) -> None:
        """Forget all blocks above `height`."""
        for block in self._blocks[height + 1 :]:
            del self._numbers[block.hash]
            for receipt in block.receipts:
                del self._receipts[receipt.transaction_hash]
        del self._blocks[height + 1 :]

    def number(self, block: Blockish) -> int:
        """Return the height that `block` names; "pending" is one above the head.

        Raises `NotFound`.
        """
        if isinstance(block, int):
            if not 0 <= block <= self.head.number:
                raise NotFound(f"no block {block}; the chain ends at {self.head.number}")
            return block
        if block == "earliest":
            return 0
        if block in ("latest", "safe", "finalized"):
            return self.head.number
        if block == "pending":
            return self.head.number + 1
        raise NotFound(f"no block {block!r}")

    def block(self, block: Blockish) -> Block:
        """Return a sealed block; "pending" is the latest. Raises `NotFound`."""
        return self._blocks[min(self.number(block), self.head.number)]

    def by_hash(self, block_hash: bytes) -> Block:
        """Return a block by its hash. Raises `NotFound`."""
        number = self._numbers.get(block_hash)
        if number is None:
            raise NotFound(f"no block 0x{block_hash.hex()}")
        return self._blocks[number]

    def receipt(self, transaction_hash: bytes) -> Receipt:
        """Return a mined transaction's receipt. Raises `NotFound`."""
        receipt = self._receipts.get(transaction_hash)
        if receipt is None:
            raise NotFound(f"no mined transaction 0x{transaction_hash.hex()}")
        return receipt

    def is_mined(self, transaction_hash: bytes) -> bool:
        """Say whether a transaction is in a block."""
        return transaction_hash in self._receipts

    def ancestors(self, number: int) -> Iterator[bytes]:
        """Yield the hashes of the blocks below `number`, the nearest first."""
        return (self._blocks[each].hash for each in range(number - 1, -1, -1))

    def span(self, first: int, last: int) -> Sequence[Block]:
        """Return the blocks `first` to `last`, both included, as far as there are any."""
        return self._blocks[first : last + 1]
